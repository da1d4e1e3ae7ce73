//! Matrices with rows and columns exchanged: once per training step, so that what goes back through weights is
//! as plain a product as what went forward.

use super::isa::{Isa, Kernel, Lanes};

/// Exchanges rows and columns of a matrix with so many columns.
///
/// # Panics
/// When the lengths do not fit together.
pub(crate) fn transpose(isa: Isa, columns: usize, from: &[f32], to: &mut [f32]) {
    assert!(from.len() == to.len() && from.len().is_multiple_of(columns), "whole rows");
    let rows = from.len() / columns;
    let squares = Squares { rows, columns, from: from.as_ptr(), to: to.as_mut_ptr() };
    // SAFETY: both matrices have so many rows and columns.
    unsafe { isa.run(&squares) };
    // What is no whole square, whatever the instructions.
    let [whole_rows, whole_columns] = [rows, columns].map(|len| len - len % SIDE);
    for row in 0..rows {
        for column in if row < whole_rows { whole_columns } else { 0 }..columns {
            to[column * rows + row] = from[row * columns + column];
        }
    }
}

/// Rows and columns that squares cover whole.
const SIDE: usize = 16;

/// In squares of as many rows and columns as a vector has numbers, which divides [`SIDE`].
struct Squares {
    rows: usize,
    columns: usize,
    from: *const f32,
    to: *mut f32,
}

impl Kernel for Squares {
    #[inline(always)]
    unsafe fn run<L: Lanes>(&self) {
        let [rows, columns] = [self.rows, self.columns].map(|len| len - len % SIDE);
        for row in (0..rows).step_by(L::COUNT) {
            for column in (0..columns).step_by(L::COUNT) {
                // SAFETY: all squares lie inside of the matrices.
                unsafe {
                    let from = self.from.add(row * self.columns + column);
                    let to = self.to.add(column * self.rows + row);
                    L::transpose(from, self.columns, to, self.rows);
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
                for (i, number) in to.iter().enumerate() {
                    let (column, row) = (i / rows, i % rows);
                    assert_eq!(*number, from[row * columns + column], "{isa:?}: {rows}x{columns}");
                }
            }
        }
    }
}
