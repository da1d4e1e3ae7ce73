//! Transposed matrices: made once per training step, so that the backward pass through weights is as plain a product as
//! the forward pass.

use super::isa::{Isa, Kernel, Lanes};

/// Transposes a matrix of `columns` columns.
///
/// # Panics
/// If the lengths do not match.
pub(crate) fn transpose(isa: Isa, columns: usize, from: &[f32], to: &mut [f32]) {
    assert!(from.len() == to.len() && from.len().is_multiple_of(columns), "whole rows");
    let rows = from.len() / columns;
    isa.run(Squares { rows, columns, from: from.as_ptr(), to: to.as_mut_ptr() });
    // The rest around the squares, whatever the instructions.
    let [whole_rows, whole_columns] = [rows, columns].map(|len| len - len % SIDE);
    for row in 0..rows {
        for column in if row < whole_rows { whole_columns } else { 0 }..columns {
            to[column * rows + row] = from[row * columns + column];
        }
    }
}

/// The number of rows and of columns that squares cover is the largest multiple of this: the elements of the widest
/// vector.
const SIDE: usize = 16;

/// The squares of a matrix with valid pointers, of as many rows and columns as a vector has elements, which divides
/// [`SIDE`].
struct Squares {
    rows: usize,
    columns: usize,
    from: *const f32,
    to: *mut f32,
}

impl Kernel for Squares {
    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) {
        let [rows, columns] = [self.rows, self.columns].map(|len| len - len % SIDE);
        // In registers, a square at a time: both matrices are accessed by whole vectors. Element by element, each store
        // would be to another line.
        for row in (0..rows).step_by(L::COUNT) {
            for column in (0..columns).step_by(L::COUNT) {
                // SAFETY: `rows` and `columns` are divisible by `L::COUNT`, so that all squares are inside of both
                // matrices.
                unsafe {
                    let from = self.from.add(row * self.columns + column);
                    let to = self.to.add(column * self.rows + row);
                    lanes.transpose(from, self.columns, to, self.rows);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_become_columns() {
        for isa in Isa::ALL.into_iter().filter(|isa| isa.is_available()) {
            for [rows, columns] in [[1, 1], [3, 40], [16, 16], [17, 33], [40, 7], [33, 48]] {
                let from: Vec<f32> = (0..rows * columns).map(|i| i as f32).collect();
                let mut to = vec![f32::NAN; from.len()];
                transpose(isa, columns, &from, &mut to);
                for (i, value) in to.iter().enumerate() {
                    let (column, row) = (i / rows, i % rows);
                    assert_eq!(*value, from[row * columns + column], "{isa:?}: {rows}x{columns}");
                }
            }
        }
    }
}
