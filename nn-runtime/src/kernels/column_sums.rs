//! [`d_bias`]: the sums of the columns of a matrix.

#![expect(
    clippy::needless_range_loop,
    reason = "indices below constants, so that arrays become registers"
)]

use super::dense_args::RowBlocks;
use super::isa::{Isa, Kernel, Lanes, load_row, store_row};
use super::product::Accumulate;

/// Vectors of columns whose sums are in registers: eight independent chains of additions hide the latency.
const WIDE: usize = 8;

/// Elements of the widest vectors.
const MOST_LANES: usize = 16;

/// The largest number of additions that follow each other in `f32`. Their sums are added in `f64`, so that the rounding
/// error does not grow with the number of rows (docs/decisions/0025).
const CHAIN: usize = 16;

/// The sum of all rows of `d_y`. Does nothing if `d_bias` is empty.
///
/// # Panics
/// If the lengths do not match.
pub fn d_bias(
    isa: Isa,
    accumulate: Accumulate,
    blocks: RowBlocks,
    d_y: &[f32],
    d_bias: &mut [f32],
) {
    let RowBlocks { count, stride, rows } = blocks;
    let columns = d_bias.len();
    if columns == 0 {
        return;
    }
    if count > 0 && rows > 0 {
        // The kernel reads through a pointer without any further check. A sum that overflows is beyond any slice.
        let last = (count - 1).checked_mul(stride);
        let last =
            last.zip(rows.checked_mul(columns)).and_then(|(last, len)| last.checked_add(len));
        assert!(last.is_some_and(|end| end <= d_y.len()), "rows end inside the matrix");
    }
    isa.run(ColumnSums { accumulate, blocks, columns, d_y: d_y.as_ptr(), d_bias });
}

/// Sums whose rows are inside of the matrix, as [`d_bias`] asserts.
struct ColumnSums<'a> {
    accumulate: Accumulate,
    blocks: RowBlocks,
    columns: usize,
    d_y: *const f32,
    d_bias: &'a mut [f32],
}

impl Kernel for ColumnSums<'_> {
    #[inline(always)]
    fn run<L: Lanes>(mut self, lanes: L) {
        let mut column = 0;
        while column < self.columns {
            let left = self.columns - column;
            // SAFETY: as many columns are left; only the last block of a vector is partial.
            column += unsafe {
                if left >= WIDE * L::COUNT {
                    self.block::<L, WIDE, 1, false>(lanes, column, WIDE * L::COUNT)
                } else if left >= 2 * L::COUNT {
                    self.block::<L, 2, 2, false>(lanes, column, 2 * L::COUNT)
                } else {
                    self.block::<L, 1, 2, true>(lanes, column, left.min(L::COUNT))
                }
            };
        }
    }
}

impl ColumnSums<'_> {
    /// Computes `count` columns from `column` on, in `N` vectors, of which the last may be partial at an edge. Returns
    /// their number.
    ///
    /// # Safety
    /// There must be `count` columns, which must fill all vectors but the last one of an edge.
    #[inline(always)]
    unsafe fn block<L: Lanes, const N: usize, const C: usize, const EDGE: bool>(
        &mut self,
        lanes: L,
        column: usize,
        count: usize,
    ) -> usize {
        let tail = lanes.tail(count - (N - 1) * L::COUNT);
        let mut totals = [0.0; WIDE * MOST_LANES];
        let mut rows =
            Rows { blocks: self.blocks, columns: self.columns, row: 0, at: column, begin: column };
        let mut left = self.blocks.count * self.blocks.rows;
        while left > 0 {
            let (mut sums, mut last) = ([[lanes.zero(); N]; C], [lanes.zero(); N]);
            // SAFETY: as many rows are left, and the columns are inside of them.
            unsafe {
                let pairs = (left / (2 * C)).min(CHAIN);
                for _ in 0..pairs {
                    // Two chains of pairs: one vector alone would wait for each addition.
                    for c in 0..C {
                        let a = load_row::<L, N, EDGE>(lanes, self.d_y.add(rows.next()), tail);
                        let b = load_row::<L, N, EDGE>(lanes, self.d_y.add(rows.next()), tail);
                        for v in 0..N {
                            sums[c][v] = lanes.add(lanes.add(a[v], b[v]), sums[c][v]);
                        }
                    }
                }
                left -= 2 * C * pairs;
                if pairs < CHAIN {
                    // In the order that they have with zeros after them, so that the bits do not depend on how many rows of
                    // zeros follow: those after the end of a sequence.
                    for i in 0..left {
                        let a = load_row::<L, N, EDGE>(lanes, self.d_y.add(rows.next()), tail);
                        for v in 0..N {
                            last[v] = if i % 2 == 0 { a[v] } else { lanes.add(last[v], a[v]) };
                        }
                        if i % 2 == 1 || i + 1 == left {
                            for v in 0..N {
                                sums[i / 2][v] = lanes.add(last[v], sums[i / 2][v]);
                            }
                        }
                    }
                    left = 0;
                }
                for c in 1..C {
                    for v in 0..N {
                        sums[0][v] = lanes.add(sums[0][v], sums[c][v]);
                    }
                }
                let mut part = [0.0; WIDE * MOST_LANES];
                store_row::<L, N, EDGE>(lanes, part.as_mut_ptr(), &sums[0], tail);
                for i in 0..N * L::COUNT {
                    totals[i] += f64::from(part[i]);
                }
            }
        }
        for (sum, total) in self.d_bias[column..][..count].iter_mut().zip(&totals) {
            *sum = match self.accumulate {
                Accumulate::Overwrite => *total as f32,
                Accumulate::Add => (f64::from(*sum) + total) as f32,
            };
        }
        count
    }
}

/// The offsets of the rows of some blocks, one after the other.
struct Rows {
    blocks: RowBlocks,
    columns: usize,
    /// The index of the next row in its block.
    row: usize,
    /// The offset of the next row.
    at: usize,
    /// The offset of the first row of the block.
    begin: usize,
}

impl Rows {
    #[inline(always)]
    fn next(&mut self) -> usize {
        let now = self.at;
        self.row += 1;
        self.at += self.columns;
        if self.row == self.blocks.rows {
            // Wrapping: after the last block it is no offset of a row.
            self.begin = self.begin.wrapping_add(self.blocks.stride);
            (self.row, self.at) = (0, self.begin);
        }
        now
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::tests::{available, whole, written};

    /// Integers, whose sums are exact in any order; several parts, and every width of a block.
    #[test]
    fn have_all_terms() {
        for (count, rows) in [(1, 0), (1, 1), (1, 131), (3, 22), (70, 1)] {
            for columns in [1, 7, 17, 64, 150] {
                let stride = rows * columns + 5;
                let d_y = whole(count * stride, 1);
                let mut expected = vec![0.0; columns];
                for block in d_y.chunks_exact(stride) {
                    for (i, d_y) in block[..rows * columns].iter().enumerate() {
                        expected[i % columns] += d_y;
                    }
                }
                for isa in available() {
                    let found = written(&vec![f32::NAN; columns], |sums| {
                        let blocks = RowBlocks { count, stride, rows };
                        d_bias(isa, Accumulate::Overwrite, blocks, &d_y, sums);
                    });
                    assert_eq!(found, expected, "{isa:?}: {count} times {rows} of {columns}");
                }
            }
        }
    }

    #[test]
    #[should_panic(expected = "rows end inside the matrix")]
    fn rows_end_inside_the_matrix() {
        let blocks = RowBlocks { count: 2, stride: 7, rows: 2 };
        d_bias(Isa::Baseline, Accumulate::Overwrite, blocks, &[0.0; 12], &mut [0.0; 3]);
    }

    #[test]
    #[should_panic(expected = "rows end inside the matrix")]
    fn offsets_do_not_overflow() {
        let blocks = RowBlocks { count: 3, stride: usize::MAX, rows: 1 };
        d_bias(Isa::Baseline, Accumulate::Overwrite, blocks, &[0.0; 12], &mut [0.0; 3]);
    }
}
