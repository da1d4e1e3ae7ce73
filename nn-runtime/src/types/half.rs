//! [`Halves`]: weights in half precision.

use core::ops::Range;
use unrolled_shape::half::from_half;

/// Weights in half precision, little-endian.
pub type Halves<'a> = &'a [[u8; 2]];

/// Writes all of the `halves` to `floats`, exactly.
///
/// # Panics
/// If the lengths differ.
pub(crate) fn widen(halves: Halves<'_>, floats: &mut [f32]) {
    assert!(halves.len() == floats.len(), "a float for each half");
    for (half, float) in halves.iter().zip(floats) {
        *float = from_half(u16::from_le_bytes(*half));
    }
}

/// Columns of a matrix that are `f32`s at a time: a vector, or on a microcontroller, which has none, few for little memory.
pub(crate) const COLUMNS: usize = if cfg!(target_os = "none") { 4 } else { 16 };

/// A matrix in half precision, with a bias for each column or none.
#[derive(Clone, Copy)]
pub(crate) struct HalfMatrix<'a> {
    /// `[rows, width]`
    pub(crate) weight: Halves<'a>,
    pub(crate) width: usize,
    /// `[width]`, or empty.
    pub(crate) bias: Halves<'a>,
}

impl<'a> HalfMatrix<'a> {
    /// Elements of memory for [`COLUMNS`] columns of so many rows, with their bias.
    pub(crate) const fn widened_len(rows: usize) -> usize {
        (rows + 1) * COLUMNS
    }

    /// Calls `f` with up to [`COLUMNS`] columns at a time: their range, their part of the matrix, and their bias. They are in
    /// `widened`, which has [`Self::widened_len`] elements.
    pub(crate) fn for_each_columns(
        self,
        widened: &mut [f32],
        mut f: impl FnMut(Range<usize>, &[f32], &[f32]),
    ) {
        let (bias, matrix) = widened.split_at_mut(COLUMNS);
        for first in (0..self.width).step_by(COLUMNS) {
            let columns = first..self.width.min(first + COLUMNS);
            let matrix = &mut matrix[..self.weight.len() / self.width * columns.len()];
            let rows = self.weight.chunks_exact(self.width);
            for (from, to) in rows.zip(matrix.chunks_exact_mut(columns.len())) {
                widen(&from[columns.clone()], to);
            }
            let from = if self.bias.is_empty() { self.bias } else { &self.bias[columns.clone()] };
            let bias = &mut bias[..from.len()];
            widen(from, bias);
            f(columns, matrix, bias);
        }
    }
}
