//! `C = A Bᵀ`: products whose sums run along the rows of both matrices, such as the input gradient of a dense layer.
//! Lanes run along the sum, so that nothing is transposed.

#![expect(
    clippy::needless_range_loop,
    reason = "indices below constants, so that arrays become registers"
)]

use super::isa::{Isa, Kernel, Lanes};
use super::product::Accumulate;

/// Rows of `B` in a tile: [`Lanes::sums`] reduces that many vectors at once.
const WIDTH: usize = 4;

/// Elements of a row that are processed at a time, so that a tile's rows stay in the first-level cache: four rows of
/// `B` are 16 kB, as are four rows of `A`.
const BLOCK: usize = 1024;

/// `c[m, n] = Σ a[m, k] b[n, k]`: `a` and `b` have rows of `k` elements, `c` has rows of as many elements as `b` has
/// rows.
///
/// The order of each sum depends on `k` only.
///
/// # Panics
/// If the lengths do not match.
pub(crate) fn dots(isa: Isa, k: usize, a: &[f32], b: &[f32], c: &mut [f32]) {
    assert!(k > 0 && a.len().is_multiple_of(k) && b.len().is_multiple_of(k), "whole rows");
    let (rows, columns) = (a.len() / k, b.len() / k);
    assert_eq!(Some(c.len()), rows.checked_mul(columns), "one element for each pair of rows");
    let strides = [k, k, columns];
    let product = RowProduct { rows, columns, k, strides, accumulate: Accumulate::Overwrite };
    product.compute(isa, a, b, c);
}

/// A product of rows that need not be contiguous.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RowProduct {
    /// Rows of `a` and of `c`.
    pub(crate) rows: usize,
    /// Rows of `b`, columns of `c`.
    pub(crate) columns: usize,
    /// Elements in each row of `a` and of `b`.
    pub(crate) k: usize,
    /// Elements from one row to the next: of `a`, `b` and `c`.
    pub(crate) strides: [usize; 3],
    /// Whether the product is added to `c`.
    pub(crate) accumulate: Accumulate,
}

impl RowProduct {
    /// Computes the product.
    ///
    /// # Panics
    /// If it reaches beyond one of the matrices.
    pub(crate) fn compute(self, isa: Isa, a: &[f32], b: &[f32], c: &mut [f32]) {
        let Self { rows, columns, k, strides, .. } = self;
        if rows == 0 || columns == 0 {
            return;
        }
        // Tiles read and write through raw pointers without any further check: they rely on these assertions.
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
        let (a, b, c) = (a.as_ptr(), b.as_ptr(), c.as_mut_ptr());
        isa.run(Dots { sizes: self, a, b, c });
    }
}

/// A product whose rows are inside of its matrices, as [`RowProduct::compute`] asserts.
struct Dots {
    sizes: RowProduct,
    a: *const f32,
    b: *const f32,
    c: *mut f32,
}

impl Kernel for Dots {
    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) {
        // Four rows and WIDTH columns are 16 sums, half of the registers of AVX-512; the others have 16 registers.
        if const { L::COUNT == 16 } {
            self.all_tiles::<L, 4>(lanes);
        } else {
            self.all_tiles::<L, 2>(lanes);
        }
    }
}

/// The first row and column of a tile, and the part of the sum that it computes.
struct TileRange {
    row: usize,
    column: usize,
    /// The first term.
    begin: usize,
    /// The number of terms.
    len: usize,
}

impl Dots {
    /// Loops over blocks of `k`, then over columns, then over tiles of `M` rows of `A` and [`WIDTH`] rows of `B`: the
    /// rows of `B` stay in cache while all rows of `A` pass by.
    #[inline(always)]
    fn all_tiles<L: Lanes, const M: usize>(&self, lanes: L) {
        let RowProduct { rows, columns, k, .. } = self.sizes;
        let mut begin = 0;
        while begin < k {
            let len = BLOCK.min(k - begin);
            for column in (0..columns).step_by(WIDTH) {
                let mut row = 0;
                while row < rows {
                    let at = TileRange { row, column, begin, len };
                    // SAFETY: `row` and `column` are below the numbers of rows, `begin + len` is at most `k`.
                    unsafe {
                        // Two rows or more are a tile of `M`, in which the last row is repeated; only a single row has
                        // a tile of its own.
                        if row + 1 < rows {
                            self.tile::<L, M>(lanes, &at);
                            row += M;
                        } else {
                            self.tile::<L, 1>(lanes, &at);
                            row += 1;
                        }
                    }
                }
            }
            begin += len;
        }
    }

    /// Computes one tile. Rows and columns beyond the last repeat it and are not stored.
    ///
    /// # Safety
    /// The tile must begin inside of the product, and its terms must end there.
    #[inline(always)]
    unsafe fn tile<L: Lanes, const M: usize>(&self, lanes: L, at: &TileRange) {
        let RowProduct { rows, columns, strides, accumulate, .. } = self.sizes;
        // SAFETY: indices of rows and columns are limited to the last ones, whose ends are inside of the matrices, and
        // terms to `begin + len`.
        unsafe {
            let (mut from_a, mut from_b) = ([self.a; M], [self.b; WIDTH]);
            for r in 0..M {
                from_a[r] = self.a.add((at.row + r).min(rows - 1) * strides[0] + at.begin);
            }
            for n in 0..WIDTH {
                from_b[n] = self.b.add((at.column + n).min(columns - 1) * strides[1] + at.begin);
            }
            // Each lane sums every `L::COUNT`-th term. The vectors of a tile are independent chains, which hides the
            // latency.
            let mut sums = [[lanes.zero(); WIDTH]; M];
            let mut k = 0;
            while k + L::COUNT <= at.len {
                let mut row = [lanes.zero(); WIDTH];
                for n in 0..WIDTH {
                    row[n] = lanes.load(from_b[n].add(k));
                }
                for r in 0..M {
                    let x = lanes.load(from_a[r].add(k));
                    for n in 0..WIDTH {
                        sums[r][n] = lanes.mul_add(x, row[n], sums[r][n]);
                    }
                }
                k += L::COUNT;
            }
            if k < at.len {
                // Unused lanes are zero in both operands and add nothing: the lanes keep their order, and no scalar
                // loop follows.
                let tail = lanes.tail(at.len - k);
                for r in 0..M {
                    let x = lanes.load_tail(from_a[r].add(k), tail);
                    for n in 0..WIDTH {
                        let row = lanes.load_tail(from_b[n].add(k), tail);
                        sums[r][n] = lanes.mul_add(x, row, sums[r][n]);
                    }
                }
            }
            // Blocks of `k` after the first one add to what it has written.
            let adds = at.begin > 0 || accumulate == Accumulate::Add;
            for r in 0..M {
                if at.row + r < rows {
                    let to = self.c.add((at.row + r) * strides[2] + at.column);
                    let sums = lanes.sums(sums[r]);
                    // A constant count, for which the compiler stores one vector.
                    if at.column + WIDTH <= columns {
                        store(to, sums, adds, WIDTH);
                    } else {
                        store(to, sums, adds, columns - at.column);
                    }
                }
            }
        }
    }
}

/// Stores the first `count` sums, or adds them to the previous values.
///
/// # Safety
/// `count` elements must be writable from `to` on.
#[inline(always)]
unsafe fn store(to: *mut f32, sums: [f32; WIDTH], adds: bool, count: usize) {
    // SAFETY: `count` elements are writable from `to` on.
    unsafe {
        if adds {
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
