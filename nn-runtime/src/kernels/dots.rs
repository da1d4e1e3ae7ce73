//! `C = A Bᵀ`: products whose sums run along the rows of both matrices, such as a dense layer's
//! input gradient. Lanes run along the sum, so that nothing is transposed.

#![expect(clippy::needless_range_loop, reason = "indices below constants: what becomes registers")]

#[cfg(target_arch = "x86_64")]
use super::isa::{Avx2, Avx512};
use super::isa::{Baseline, Isa, Kernel, Lanes};
use super::product::Accumulate;

/// Rows of `B` in a tile: [`Lanes::sums`] adds up that many vectors at once.
const WIDTH: usize = 4;

/// As much of a row as is worked on at a time, so that a tile's rows stay in the first-level cache.
const BLOCK: usize = 1024;

/// `c[m, n] = Σ a[m, k] b[n, k]`: `a` has rows of `k` numbers, `b` too, and `c` has rows of as many
/// numbers as `b` has rows.
///
/// The sum's order depends on `k` alone.
///
/// # Panics
/// When the lengths do not fit together.
pub(crate) fn dots(isa: Isa, k: usize, a: &[f32], b: &[f32], c: &mut [f32]) {
    assert!(k > 0 && a.len().is_multiple_of(k) && b.len().is_multiple_of(k), "whole rows");
    let (rows, columns) = (a.len() / k, b.len() / k);
    assert_eq!(Some(c.len()), rows.checked_mul(columns), "one number for each pair of rows");
    let product = RowProduct {
        rows,
        columns,
        k,
        strides: [k, k, columns],
        accumulate: Accumulate::Overwrite,
    };
    product.compute(isa, a, b, c);
}

/// The same of rows that lie apart from each other.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RowProduct {
    /// Rows of `a` and of `c`.
    pub(crate) rows: usize,
    /// Rows of `b`, columns of `c`.
    pub(crate) columns: usize,
    /// Numbers in each row of `a` and of `b`.
    pub(crate) k: usize,
    /// Numbers from one row to the next: of `a`, `b` and `c`.
    pub(crate) strides: [usize; 3],
    /// Whether `c` is added to.
    pub(crate) accumulate: Accumulate,
}

impl RowProduct {
    /// Computes it.
    ///
    /// # Panics
    /// When it reaches beyond one of the matrices.
    pub(crate) fn compute(self, isa: Isa, a: &[f32], b: &[f32], c: &mut [f32]) {
        let Self { rows, columns, k, strides, accumulate } = self;
        if rows == 0 || columns == 0 {
            return;
        }
        let ends = |rows: usize, stride: usize, len: usize| {
            (rows - 1).checked_mul(stride).and_then(|last| last.checked_add(len))
        };
        assert!(ends(rows, strides[0], k).is_some_and(|end| end <= a.len()), "rows end inside A");
        assert!(
            ends(columns, strides[1], k).is_some_and(|end| end <= b.len()),
            "rows end inside B"
        );
        let end = ends(rows, strides[2], columns);
        assert!(end.is_some_and(|end| end <= c.len()), "rows end inside C");
        assert!(isa.is_available());
        let adds = accumulate == Accumulate::Add;
        let (a, b, c) = (a.as_ptr(), b.as_ptr(), c.as_mut_ptr());
        let dots = Dots { rows, columns, k, strides, adds, a, b, c };
        // SAFETY: the instructions are there, and all rows lie inside of the matrices, as was asserted.
        unsafe {
            match isa {
                Isa::Baseline => Baseline::run(&ByTiles::<2>(dots)),
                #[cfg(target_arch = "x86_64")]
                Isa::Avx2 => Avx2::run(&ByTiles::<2>(dots)),
                #[cfg(target_arch = "x86_64")]
                Isa::Avx512 => Avx512::run(&ByTiles::<4>(dots)),
                #[cfg(not(target_arch = "x86_64"))]
                _ => unreachable!("not available here"),
            }
        }
    }
}

/// The matrices: `a` has `rows` rows of `k` numbers, `b` `columns` of them, `c` `rows` of `columns`
/// numbers; their rows begin `strides` apart.
struct Dots {
    rows: usize,
    columns: usize,
    k: usize,
    strides: [usize; 3],
    adds: bool,
    a: *const f32,
    b: *const f32,
    c: *mut f32,
}

/// By blocks of `k`, then tiles of `M` rows of `A` and [`WIDTH`] rows of `B`.
struct ByTiles<const M: usize>(Dots);

impl<const M: usize> Kernel for ByTiles<M> {
    #[inline(always)]
    unsafe fn run<L: Lanes>(&self) {
        let dots = &self.0;
        let mut begin = 0;
        while begin < dots.k {
            let len = BLOCK.min(dots.k - begin);
            for column in (0..dots.columns).step_by(WIDTH) {
                let mut row = 0;
                while row < dots.rows {
                    let at = TileRange { row, column, begin, len };
                    // SAFETY: the caller's; the place begins inside of all matrices.
                    unsafe {
                        if row + 1 < dots.rows {
                            dots.tile::<L, M>(&at);
                            row += M;
                        } else {
                            dots.tile::<L, 1>(&at);
                            row += 1;
                        }
                    }
                }
            }
            begin += len;
        }
    }
}

impl Dots {
    /// Rows and columns beyond the last repeat it and are not stored.
    ///
    /// # Safety
    /// The instructions of `L` must be there.
    #[inline(always)]
    unsafe fn tile<L: Lanes, const M: usize>(&self, at: &TileRange) {
        // SAFETY: row and column numbers are limited to those that are there, and `k` to `begin + len`.
        unsafe {
            let (mut from_a, mut from_b) = ([self.a; M], [self.b; WIDTH]);
            for r in 0..M {
                from_a[r] =
                    self.a.add((at.row + r).min(self.rows - 1) * self.strides[0] + at.begin);
            }
            for n in 0..WIDTH {
                from_b[n] =
                    self.b.add((at.column + n).min(self.columns - 1) * self.strides[1] + at.begin);
            }
            let mut sums = [[L::zero(); WIDTH]; M];
            let mut k = 0;
            while k + L::COUNT <= at.len {
                let mut row = [L::zero(); WIDTH];
                for n in 0..WIDTH {
                    row[n] = L::load(from_b[n].add(k));
                }
                for r in 0..M {
                    let x = L::load(from_a[r].add(k));
                    for n in 0..WIDTH {
                        sums[r][n] = L::mul_add(x, row[n], sums[r][n]);
                    }
                }
                k += L::COUNT;
            }
            if k < at.len {
                let tail = L::tail(at.len - k);
                for r in 0..M {
                    let x = L::load_tail(from_a[r].add(k), tail);
                    for n in 0..WIDTH {
                        let row = L::load_tail(from_b[n].add(k), tail);
                        sums[r][n] = L::mul_add(x, row, sums[r][n]);
                    }
                }
            }
            let accumulate = at.begin > 0 || self.adds;
            for r in 0..M {
                if at.row + r < self.rows {
                    let to = self.c.add((at.row + r) * self.strides[2] + at.column);
                    let sums = L::sums(sums[r]);
                    if at.column + WIDTH <= self.columns {
                        store(to, sums, accumulate, WIDTH);
                    } else {
                        store(to, sums, accumulate, self.columns - at.column);
                    }
                }
            }
        }
    }
}

/// Stores the first `count` sums, or adds them to what is there.
///
/// # Safety
/// There must be a place for each.
#[inline(always)]
unsafe fn store(to: *mut f32, sums: [f32; WIDTH], accumulate: bool, count: usize) {
    // SAFETY: the caller's.
    unsafe {
        if accumulate {
            for n in 0..count {
                *to.add(n) += sums[n];
            }
        } else {
            for n in 0..count {
                *to.add(n) = sums[n];
            }
        }
    }
}

/// Where a tile begins, and how much of `k` it sums.
struct TileRange {
    row: usize,
    column: usize,
    begin: usize,
    len: usize,
}
