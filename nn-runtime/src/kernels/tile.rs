//! The innermost part of a [`Product`]: a tile of `C` that stays in registers.

#![expect(clippy::needless_range_loop, reason = "indices below constants: what becomes registers")]

use super::isa::{Kernel, Lanes};
use super::product::{Begin, Product, Walk};
use core::mem::MaybeUninit;

/// Numbers of `B` that are copied at a time: they stay in the first two caches.
const PACKED: usize = 1 << 14;

/// Vectors of the widest tiles. They have so much to multiply that there is time to ask for what the next tiles
/// read: a weight gradient walks down the columns of two matrices that were written long ago, and waited for each
/// line of them.
const WIDEST: usize = 4;

/// Numbers in a cache line.
const LINE: usize = 16;

/// Some columns of a product, at most as wide as a tile.
pub(crate) struct Panel<'a> {
    pub(crate) product: &'a Product<'a>,
    /// The first number of the first row.
    pub(crate) a: *const f32,
    /// The first of the panel's columns in the first row.
    pub(crate) b: *const f32,
    /// The same.
    pub(crate) c: *mut f32,
    /// The first of the panel's columns.
    pub(crate) column: usize,
    /// How many columns are left from there on. Those that do not fit into a tile are not computed.
    pub(crate) rest: usize,
}

/// What computes panels of some width.
///
/// # Safety
/// Its instructions must be there, and the product inside of its matrices.
pub(crate) type Sweep = unsafe fn(&Panel<'_>);

impl Panel<'_> {
    /// The panel, which is as wide as `width` or what is left, by `sweep`.
    ///
    /// # Safety
    /// As for [`Sweep`], which computes panels of this width.
    pub(crate) unsafe fn compute(&self, width: usize, sweep: Sweep) {
        // SAFETY: the caller's.
        unsafe {
            if self.product.is_worth_packing(width) {
                self.pack(width, sweep);
            } else {
                sweep(self);
            }
        }
    }

    /// The panel, as wide as `width` or what is left, in parts of the sum, for each of which `B` is copied to one
    /// place.
    ///
    /// Not inlined: its large memory on the stack would cost every call something.
    ///
    /// # Safety
    /// As above; `sweep` computes panels of this width.
    #[inline(never)]
    unsafe fn pack(&self, width: usize, sweep: Sweep) {
        let mut memory = [const { MaybeUninit::<f32>::uninit() }; PACKED];
        let width = self.rest.min(width);
        let Walk { count, a, other } = self.product.terms;
        let most = PACKED / width;
        let inner = count[2].min(most);
        let middle = count[1].min(most / inner);
        let mut begin = self.product.begin;
        for i in 0..count[0] {
            for j in (0..count[1]).step_by(middle) {
                for k in (0..count[2]).step_by(inner) {
                    let (middle, inner) = (middle.min(count[1] - j), inner.min(count[2] - k));
                    let at = |step: [usize; 3]| i * step[0] + j * step[1] + k * step[2];
                    let terms = Walk {
                        count: [1, middle, inner],
                        a: [0, a[1], a[2]],
                        other: [0, inner * width, width],
                    };
                    let product = Product { terms, begin, ..*self.product };
                    // SAFETY: the rounds of the loops lie inside of the walk, whose rows lie inside of
                    // `B`; the copy has `middle * inner <= PACKED / width` rows.
                    unsafe {
                        let from = self.b.add(at(other));
                        let to = memory.as_mut_ptr().cast::<f32>();
                        for row in 0..middle * inner {
                            let (j, k) = (row / inner, row % inner);
                            let from = from.add(j * other[1] + k * other[2]);
                            to.add(row * width).copy_from_nonoverlapping(from, width);
                        }
                        let a = self.a.add(at(a));
                        sweep(&Panel { product: &product, a, b: to, ..*self });
                    }
                    begin = Begin::Add;
                }
            }
        }
    }

    /// One tile of `rows` rows. Rows up to `M` repeat the last one and are not stored.
    ///
    /// # Safety
    /// As above; `cursor` must have `rows` rows left, at least one and at most `M`.
    #[inline(always)]
    unsafe fn tile<L: Lanes, const M: usize, const N: usize, const EDGE: bool>(
        &self,
        cursor: &mut Cursor,
        rows: usize,
    ) {
        // SAFETY: rows and terms stay inside of the matrices, which the caller has found. In the last
        // vector of an edge only the columns that are there are touched.
        unsafe {
            let in_tail = (self.rest - (N - 1) * L::COUNT).min(L::COUNT);
            let tail = L::tail(in_tail);
            let (mut a, mut c) = ([self.a; M], [self.c; M]);
            for r in 0..M {
                if r < rows {
                    let (in_a, in_c) = cursor.next(&self.product.rows);
                    (a[r], c[r]) = (self.a.add(in_a), self.c.add(in_c));
                } else {
                    (a[r], c[r]) = (a[r - 1], c[r - 1]);
                }
            }
            if const { M > 4 } {
                self.ask_for_rows::<L, M, N>(&a, &c);
            }
            let mut sums = self.begin::<L, M, N, EDGE>(&c, tail);
            // Another vector of the next panel in each tile.
            let next = (N + cursor.round[2] / M % N) * L::COUNT;
            let Walk { count, a: in_a, other: in_b } = self.product.terms;
            for i in 0..count[0] {
                for j in 0..count[1] {
                    let mut at = i * in_a[0] + j * in_a[1];
                    let mut b = self.b.add(i * in_b[0] + j * in_b[1]);
                    for _ in 0..count[2] {
                        let row = load_row::<L, N, EDGE>(b, tail);
                        if const { N == WIDEST } {
                            L::prefetch(a[0].wrapping_add(at + LINE));
                            L::prefetch(b.wrapping_add(next));
                        }
                        for r in 0..M {
                            let x = L::splat(*a[r].add(at));
                            for v in 0..N {
                                sums[r][v] = L::mul_add(x, row[v], sums[r][v]);
                            }
                        }
                        at += in_a[2];
                        // Not dereferenced behind the last term.
                        b = b.wrapping_add(in_b[2]);
                    }
                }
            }
            for r in 0..M {
                if r < rows {
                    store_row::<L, N, EDGE>(c[r], &sums[r], tail);
                }
            }
        }
    }

    /// Asks for the rows of `C`, which are written when the sums are there, and for those of `A` that the next tile
    /// of `M` rows reads. Tiles of few vectors, which are soon computed, do so only where the product passes over
    /// something between two rows, as a group of channels does over the others: there the machine does not find
    /// out by itself what comes next.
    ///
    /// # Safety
    /// The instructions of `L` must be there.
    #[inline(always)]
    unsafe fn ask_for_rows<L: Lanes, const M: usize, const N: usize>(
        &self,
        a: &[*const f32; M],
        c: &[*mut f32; M],
    ) {
        let Product { rows, terms, columns, .. } = *self.product;
        if terms.len() == 0 {
            return;
        }
        if N < WIDEST && rows.a[2] > terms.count[2] * terms.a[2] {
            // Earlier rows have read what lies before, where rows are pixels and terms go over a kernel.
            let last_line = (terms.count[0] - 1) * terms.a[0] + (terms.count[1] - 1) * terms.a[1];
            for r in 0..M {
                // SAFETY: the caller's.
                unsafe { L::prefetch(a[r].wrapping_add(last_line + M * rows.a[2])) };
            }
        }
        if N == WIDEST || rows.other[2] > columns {
            for r in 0..M {
                for v in 0..N {
                    // SAFETY: the caller's.
                    unsafe { L::prefetch(c[r].wrapping_add(v * L::COUNT)) };
                }
            }
        }
    }

    /// What the sums of a tile begin with.
    ///
    /// # Safety
    /// As above; `c` are the tile's rows in `C`.
    #[inline(always)]
    unsafe fn begin<L: Lanes, const M: usize, const N: usize, const EDGE: bool>(
        &self,
        c: &[*mut f32; M],
        tail: L::Tail,
    ) -> [[L::Vector; N]; M] {
        // SAFETY: the caller's; a row to begin with has all columns.
        unsafe {
            let mut sums = [[L::zero(); N]; M];
            match self.product.begin {
                Begin::Zero => {}
                Begin::Row(row) => {
                    let row = load_row::<L, N, EDGE>(row.as_ptr().add(self.column), tail);
                    sums.fill(row);
                }
                Begin::Add => {
                    for r in 0..M {
                        sums[r] = load_row::<L, N, EDGE>(c[r], tail);
                    }
                }
            }
            sums
        }
    }
}

/// A panel as it lies, by tiles of `M` rows and `N` vectors, of which the last may be cut off only if that is
/// cheap.
///
/// # Safety
/// As for [`Sweep`].
pub(crate) unsafe fn sweep<L: Lanes, const M: usize, const N: usize>(panel: &Panel<'_>) {
    // SAFETY: the caller's.
    unsafe {
        if const { L::CHEAP_TAIL } {
            L::run(&AllTiles::<M, N, true>(panel));
        } else {
            L::run(&AllTiles::<M, N, false>(panel));
        }
    }
}

/// The same of one vector that is cut off, by fewer rows: not so much depends on them.
///
/// # Safety
/// As for [`Sweep`].
pub(crate) unsafe fn sweep_cut<L: Lanes>(panel: &Panel<'_>) {
    // SAFETY: the caller's.
    unsafe { L::run(&AllTiles::<4, 1, true>(panel)) }
}

/// All tiles of a panel, from its first row to its last. With `EDGE` the last vector is cut off. At the
/// end come smaller tiles, so that a few rows cost no more than they must.
struct AllTiles<'a, const M: usize, const N: usize, const EDGE: bool>(&'a Panel<'a>);

impl<const M: usize, const N: usize, const EDGE: bool> Kernel for AllTiles<'_, M, N, EDGE> {
    #[inline(always)]
    unsafe fn run<L: Lanes>(&self) {
        let mut cursor = Cursor::default();
        let mut left = self.0.product.rows.len();
        while left > 0 {
            // SAFETY: the caller's; there are as many rows left as are asked for.
            unsafe {
                // 8 rows are 4 and 4, and not 6 and a wasteful 2.
                if left > 4 && M > 4 && !(M == 6 && left == 8) {
                    self.0.tile::<L, M, N, EDGE>(&mut cursor, left.min(M));
                    left -= left.min(M);
                } else if left > 1 && M > 1 {
                    self.0.tile::<L, 4, N, EDGE>(&mut cursor, left.min(4));
                    left -= left.min(4);
                } else {
                    self.0.tile::<L, 1, N, EDGE>(&mut cursor, 1);
                    left -= 1;
                }
            }
        }
    }
}

/// # Safety
/// The instructions of `L` must be there, and `N` vectors at `from`, the last cut off at an edge.
#[inline(always)]
pub(super) unsafe fn load_row<L: Lanes, const N: usize, const EDGE: bool>(
    from: *const f32,
    tail: L::Tail,
) -> [L::Vector; N] {
    // SAFETY: the caller's.
    unsafe {
        let mut row = [L::zero(); N];
        for v in 0..N {
            let from = from.add(v * L::COUNT);
            row[v] = if EDGE && v == N - 1 { L::load_tail(from, tail) } else { L::load(from) };
        }
        row
    }
}

/// # Safety
/// As for [`load_row`].
#[inline(always)]
pub(super) unsafe fn store_row<L: Lanes, const N: usize, const EDGE: bool>(
    to: *mut f32,
    row: &[L::Vector; N],
    tail: L::Tail,
) {
    // SAFETY: the caller's.
    unsafe {
        for v in 0..N {
            let to = to.add(v * L::COUNT);
            if EDGE && v == N - 1 {
                L::store_tail(to, row[v], tail);
            } else {
                L::store(to, row[v]);
            }
        }
    }
}

/// Goes from row to row.
#[derive(Default)]
struct Cursor {
    round: [usize; 3],
    a: usize,
    c: usize,
}

impl Cursor {
    /// Where the next row begins in `A` and `C`. Divisions would cost more than a small tile.
    #[inline(always)]
    fn next(&mut self, rows: &Walk) -> (usize, usize) {
        let now = (self.a, self.c);
        for i in [2, 1, 0] {
            self.a += rows.a[i];
            self.c += rows.other[i];
            self.round[i] += 1;
            if self.round[i] < rows.count[i] {
                break;
            }
            self.a -= rows.count[i] * rows.a[i];
            self.c -= rows.count[i] * rows.other[i];
            self.round[i] = 0;
        }
        now
    }
}
