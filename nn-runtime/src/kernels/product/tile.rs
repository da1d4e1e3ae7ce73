//! The innermost part of a [`Product`]: a tile of `C` that stays in registers.

#![expect(
    clippy::needless_range_loop,
    reason = "indices below constants, so that arrays become registers"
)]

use super::init::Init;
use super::problem::Product;
use super::strides::Strides3;
use crate::kernels::isa::{Kernel, Lanes, load_row, store_row};
use crate::system::{CacheLine, KernelMemory};

/// Elements of `B` that are packed at a time: they fit into the first two caches.
const PACKED: usize = if KernelMemory::LEN < 1 << 14 { KernelMemory::LEN } else { 1 << 14 };

/// Vectors of the widest tiles. Their multiply-adds leave time for prefetches of what the next tiles read: the gradient
/// of a weight reads columns of two matrices that were written long ago, and waited for each line of them.
const WIDEST: usize = 4;

/// Some columns of a product, at most as many as a tile is wide.
///
/// Its pointers are valid for all rows and terms of the product: rows of `A` from `a` on, of `B` from `b` on and of `C`
/// from `c` on, `rest` columns of the latter two.
pub(super) struct Panel<'a> {
    pub(super) product: &'a Product<'a>,
    /// The first element of the first row.
    pub(super) a: *const f32,
    /// The first of the panel's columns in the first row.
    pub(super) b: *const f32,
    /// The first of the panel's columns in the first row.
    pub(super) c: *mut f32,
    /// The first of the panel's columns.
    pub(super) column: usize,
    /// Whether something is computed from the sums before they are stored.
    pub(super) changes_sums: bool,
    /// Columns of the product from there on. Those that do not fit into a tile are left to the next panel.
    pub(super) rest: usize,
}

/// A function that computes panels of some width.
///
/// # Safety
/// The processor must have its instructions, and the panel's pointers must be valid.
pub(super) type Sweep = unsafe fn(&Panel<'_>);

impl Panel<'_> {
    /// Computes `width` columns, or the rest, by `sweep`.
    ///
    /// # Safety
    /// As for [`Sweep`]; `sweep` must compute panels of this width.
    pub(super) unsafe fn compute(&self, width: usize, sweep: Sweep) {
        // SAFETY: by the contract of this function the processor has the instructions of `sweep`, the panel's pointers
        // are valid, and `sweep` computes panels of `width` columns, which is what `pack` copies of each row.
        unsafe {
            // A part of a long sum is added to `C` once, so that it is packed as a whole or not at all.
            let Product { terms, init, .. } = self.product;
            let fits = !matches!(init, Init::Partial) || terms.len() * width <= PACKED;
            if fits && self.product.is_worth_packing(width) {
                self.pack(width, sweep);
            } else {
                sweep(self);
            }
        }
    }

    /// Computes the panel in parts of the sum, for each of which `B` is packed into contiguous memory.
    ///
    /// Not inlined: few products are worth packing, and the others need no more than a call of `sweep`.
    ///
    /// # Safety
    /// As for [`Self::compute`].
    #[inline(never)]
    unsafe fn pack(&self, width: usize, sweep: Sweep) {
        let mut memory = KernelMemory::take();
        let packed = memory.as_mut_ptr();
        let width = self.rest.min(width);
        let (mut init, mut left) = (self.product.init, self.product.terms.len());
        // Blocks of the sum, in the order of its terms: the same chain of multiply-adds as without packing, since storing
        // and loading a sum between two blocks is exact. `is_worth_packing` requires many terms, so that no count is 0.
        self.product.terms.for_each_part(PACKED / width, |part, [in_a, in_b]| {
            let Strides3 { count: [_, middle, inner], other, .. } = part;
            let terms = Strides3 { other: [0, inner * width, width], ..part };
            left -= part.len();
            let product = Product { terms, init, ..*self.product }.without_epilogue_if(left > 0);
            // SAFETY: the part's terms are some of the product's, whose rows are inside of `B`; the packed block has
            // `middle * inner <= PACKED / width` rows.
            unsafe {
                let from = self.b.add(in_b);
                for row in 0..middle * inner {
                    let (j, k) = (row / inner, row % inner);
                    let from = from.add(j * other[1] + k * other[2]);
                    packed.add(row * width).copy_from_nonoverlapping(from, width);
                }
                let a = self.a.add(in_a);
                let changes_sums = product.changes_sums();
                sweep(&Panel { product: &product, a, b: packed, changes_sums, ..*self });
            }
            init = Init::Accumulate;
        });
    }

    /// Computes one tile of `rows` rows. Its other rows, up to `M`, repeat the last one and are not stored, so that the
    /// loop over the terms is the same for all tiles.
    ///
    /// # Safety
    /// The panel's pointers must be valid; `cursor` must have `rows` rows left, at least one and at most `M`.
    #[inline(always)]
    unsafe fn tile<L: Lanes, const M: usize, const N: usize, const EDGE: bool>(
        &self,
        lanes: L,
        cursor: &mut Cursor,
        rows: usize,
    ) {
        // At least one column of the last vector is left, because `Tiles::of` yields no more vectors than begin in the
        // rest.
        let in_tail = (self.rest - (N - 1) * L::COUNT).min(L::COUNT);
        let tail = lanes.tail(in_tail);
        // SAFETY: `cursor` yields rows of the product, and the loops iterate over its terms, all of which are inside of
        // the matrices. Of the last vector of an edge only the columns that are left are accessed.
        unsafe {
            let (mut a, mut c) = ([self.a; M], [self.c; M]);
            for r in 0..M {
                if r < rows {
                    let (in_a, in_c) = cursor.next(&self.product.rows);
                    (a[r], c[r]) = (self.a.add(in_a), self.c.add(in_c));
                } else {
                    (a[r], c[r]) = (a[r - 1], c[r - 1]);
                }
            }
            // Tiles of up to four rows are the last of a panel, after which no rows follow, or compute a partial
            // vector.
            if const { M > 4 } {
                self.prefetch_rows::<L, M, N>(lanes, &a, &c);
            }
            let mut sums = self.init::<L, M, N, EDGE>(lanes, &c, tail);
            // Each tile of this panel prefetches another vector of the next panel.
            let next = (N + cursor.round[2] / M % N) * L::COUNT;
            let Strides3 { count, a: in_a, other: in_b } = self.product.terms;
            for i in 0..count[0] {
                for j in 0..count[1] {
                    let mut at = i * in_a[0] + j * in_a[1];
                    let mut b = self.b.add(i * in_b[0] + j * in_b[1]);
                    for _ in 0..count[2] {
                        let row = load_row::<L, N, EDGE>(lanes, b, tail);
                        // In the gradient of a weight the rows of the product are neighbouring elements of `A`: the
                        // next line has those of later tiles.
                        if const { N == WIDEST } {
                            lanes.prefetch(a[0].wrapping_add(at + CacheLine::LEN));
                            lanes.prefetch(b.wrapping_add(next));
                        }
                        // An outer product per term, as in the micro-kernel of BLIS: M elements of `A`, N vectors of
                        // `B`. The M * N sums are independent, which hides the latency of multiply-adds, and stay in
                        // registers.
                        for r in 0..M {
                            let x = lanes.splat(*a[r].add(at));
                            for v in 0..N {
                                sums[r][v] = lanes.mul_add(x, row[v], sums[r][v]);
                            }
                        }
                        at += in_a[2];
                        // Wrapping: after the last term it is outside of `B`, where it is not dereferenced.
                        b = b.wrapping_add(in_b[2]);
                    }
                }
            }
            let epilogue = &self.product.epilogue;
            let at = |c: *mut f32| self.column + c.offset_from_unsigned(self.c);
            if self.changes_sums {
                if let Init::Partial = self.product.init {
                    for r in 0..M {
                        let before = load_row::<L, N, EDGE>(lanes, c[r], tail);
                        for v in 0..N {
                            sums[r][v] = lanes.add(sums[r][v], before[v]);
                        }
                    }
                }
                if epilogue.is_for_sums() {
                    let pixels = c.map(at);
                    epilogue.apply::<L, M, N, EDGE>(lanes, (self.column, pixels), &mut sums, tail);
                }
            }
            for r in 0..M {
                if r < rows {
                    store_row::<L, N, EDGE>(lanes, c[r], &sums[r], tail);
                    if epilogue.is_for_stored() {
                        let count = if EDGE { (N - 1) * L::COUNT + in_tail } else { N * L::COUNT };
                        epilogue.apply_to_stored::<L>([self.column, at(c[r])], c[r], count);
                    }
                }
            }
        }
    }

    /// Prefetches the rows of `C`, which are written after the sums, and those of `A` that the next tile of `M` rows
    /// reads.
    ///
    /// Tiles of few vectors take too little time to prefetch always: they do so only where the product skips elements
    /// between two rows, as a group of channels skips the others. The hardware does not predict these accesses.
    #[inline(always)]
    fn prefetch_rows<L: Lanes, const M: usize, const N: usize>(
        &self,
        lanes: L,
        a: &[*const f32; M],
        c: &[*mut f32; M],
    ) {
        let Product { rows, terms, columns, .. } = *self.product;
        if terms.len() == 0 {
            return;
        }
        // Wide tiles prefetch `A` in the loop over the terms instead.
        if N < WIDEST && rows.a[2] > terms.count[2] * terms.a[2] {
            // Where rows are pixels and terms run over a kernel, earlier rows have read what is before the last line.
            let last_line = (terms.count[0] - 1) * terms.a[0] + (terms.count[1] - 1) * terms.a[1];
            for r in 0..M {
                lanes.prefetch(a[r].wrapping_add(last_line + M * rows.a[2]));
            }
        }
        if N == WIDEST || rows.other[2] > columns {
            for r in 0..M {
                for v in 0..N {
                    lanes.prefetch(c[r].wrapping_add(v * L::COUNT));
                }
            }
        }
    }

    /// The initial sums of a tile.
    ///
    /// # Safety
    /// The panel's pointers must be valid; `c` must be the tile's rows in `C`.
    #[inline(always)]
    unsafe fn init<L: Lanes, const M: usize, const N: usize, const EDGE: bool>(
        &self,
        lanes: L,
        c: &[*mut f32; M],
        tail: L::Tail,
    ) -> [[L::Vector; N]; M] {
        let mut sums = [[lanes.zero(); N]; M];
        // SAFETY: a bias has all columns of the product, and so have the rows of `C`.
        unsafe {
            match self.product.init {
                Init::Zero | Init::Partial => {}
                Init::Bias(bias) => {
                    // `b` and `c` begin with the panel's columns, the bias with those of the product.
                    let bias = bias.as_ptr().add(self.column);
                    sums.fill(load_row::<L, N, EDGE>(lanes, bias, tail));
                }
                Init::Accumulate => {
                    for r in 0..M {
                        sums[r] = load_row::<L, N, EDGE>(lanes, c[r], tail);
                    }
                }
            }
        }
        sums
    }
}

/// Computes a panel by tiles of `M` rows and `N` vectors, of which the last may be partial only if that is cheap.
///
/// # Safety
/// As for [`Sweep`].
pub(super) unsafe fn sweep<L: Lanes, const M: usize, const N: usize>(panel: &Panel<'_>) {
    // SAFETY: the processor has the instructions of `L`, by the contract of `Sweep`.
    let lanes = unsafe { L::assume() };
    // Masked loads take a multiply-add's place on Intel's processors: whole panels without them are 3% faster there. Where
    // tails are not cheap, no panel is partial, and the masked version is not compiled.
    if const { L::CHEAP_TAIL } && panel.rest < N * L::COUNT {
        lanes.run(AllTiles::<M, N, true>(panel));
    } else {
        lanes.run(AllTiles::<M, N, false>(panel));
    }
}

/// Computes a panel of one partial vector, by tiles of four rows: larger ones would be much code for little work.
///
/// # Safety
/// As for [`Sweep`].
pub(super) unsafe fn sweep_partial<L: Lanes>(panel: &Panel<'_>) {
    // SAFETY: the processor has the instructions of `L`, by the contract of `Sweep`.
    let lanes = unsafe { L::assume() };
    lanes.run(AllTiles::<4, 1, true>(panel));
}

/// All tiles of a panel whose pointers are valid, from its first row to its last. With `EDGE` the last vector is
/// partial. The last rows are in smaller tiles, so that a few rows do not cost as much as a whole tile.
struct AllTiles<'a, const M: usize, const N: usize, const EDGE: bool>(&'a Panel<'a>);

impl<const M: usize, const N: usize, const EDGE: bool> Kernel for AllTiles<'_, M, N, EDGE> {
    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) {
        let Self(panel) = self;
        let mut cursor = Cursor::default();
        let mut left = panel.product.rows.len();
        while left > 0 {
            // SAFETY: the panel's pointers are valid, and at least as many rows are left as each tile has.
            unsafe {
                // 8 rows are 4 and 4, and not 6 and a wasteful 2.
                if left > 4 && M > 4 && !(M == 6 && left == 8) {
                    panel.tile::<L, M, N, EDGE>(lanes, &mut cursor, left.min(M));
                    left -= left.min(M);
                } else if left > 1 && M > 1 {
                    panel.tile::<L, 4, N, EDGE>(lanes, &mut cursor, left.min(4));
                    left -= left.min(4);
                } else {
                    panel.tile::<L, 1, N, EDGE>(lanes, &mut cursor, 1);
                    left -= 1;
                }
            }
        }
    }
}

/// An iterator over the rows of a product.
#[derive(Default)]
struct Cursor {
    /// The iteration of each loop.
    round: [usize; 3],
    /// The offset of the row in `A`.
    a: usize,
    /// The offset of the row in `C`.
    c: usize,
}

impl Cursor {
    /// The offsets of the next row in `A` and `C`. Counts up, because divisions would cost more than a small tile.
    #[inline(always)]
    fn next(&mut self, rows: &Strides3) -> (usize, usize) {
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
