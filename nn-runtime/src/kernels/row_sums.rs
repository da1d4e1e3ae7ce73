//! Sums over the rows of a matrix, column by column: gradients of slopes, of factors and of the weights of
//! normalisations.
//!
//! Parts of a few dozen rows are added in `f32`, and the parts in `f64`, so that the rounding error does not grow with
//! the number of rows (docs/decisions/0025). `column_sums` has the same for the rows themselves.

use super::dispatch::dispatch;
use super::rows;

/// Rows of a part.
const PART: usize = 64;

/// Columns that are added up at a time: their totals stay in the first-level cache.
const CHUNK: usize = 256;

/// Some elements of the rows of a matrix.
#[derive(Clone, Copy)]
struct Part {
    /// The first row.
    row: usize,
    /// The number of rows.
    rows: usize,
    /// Columns of the matrix.
    columns: usize,
    /// The first column.
    column: usize,
}

impl Part {
    /// The elements of `len` columns of row `row`, counted from the first row of the part.
    #[inline(always)]
    fn of(self, matrix: &[f32], row: usize, len: usize) -> &[f32] {
        &matrix[(self.row + row) * self.columns + self.column..][..len]
    }
}

/// Calls `add` with all parts of `rows` rows, and with the sums of their columns, which it adds to.
fn in_parts(rows: usize, sums: &mut [f32], add: impl Fn(Part, &mut [f32])) {
    let columns = sums.len();
    sums.fill(0.0);
    if rows <= PART {
        return add(Part { row: 0, rows, columns, column: 0 }, sums);
    }
    for (chunk, sums) in sums.chunks_mut(CHUNK).enumerate() {
        let mut totals = [0.0; CHUNK];
        for row in (0..rows).step_by(PART) {
            let part = Part { row, rows: PART.min(rows - row), columns, column: chunk * CHUNK };
            add(part, sums);
            move_to_totals(sums, &mut totals);
        }
        sums.iter_mut().zip(totals).for_each(|(sum, total)| *sum = total as f32);
    }
}

dispatch! {
    /// Adds sums to their totals, and clears them.
    fn move_to_totals(sums: &mut [f32], totals: &mut [f64; CHUNK]) {
        for (sum, total) in sums.iter_mut().zip(totals) {
            *total += f64::from(*sum);
            *sum = 0.0;
        }
    }

    fn add_products(part: Part, a: &[f32], b: &[f32], sums: &mut [f32]) {
        let len = sums.len();
        let rows = |row| part.of(a, row, len).iter().zip(part.of(b, row, len));
        add_rows(part.rows, rows, |(a, b)| a * b, sums);
    }

    fn add_negative_products(part: Part, x: &[f32], d_y: &[f32], sums: &mut [f32]) {
        let len = sums.len();
        let rows = |row| part.of(x, row, len).iter().zip(part.of(d_y, row, len));
        add_rows(part.rows, rows, |(x, d_y)| if *x > 0.0 { 0.0 } else { x * d_y }, sums);
    }

    fn add_normalised_products(
        part: Part,
        x: &[f32],
        statistics: &[[f32; 2]],
        d_y: &[f32],
        sums: &mut [f32],
    ) {
        let len = sums.len();
        let rows = |row| {
            let [mean, inverse] = statistics[part.row + row];
            let normalised = part.of(x, row, len).iter().map(move |x| (x - mean) * inverse);
            normalised.zip(part.of(d_y, row, len))
        };
        add_rows(part.rows, rows, |(x, d_y)| d_y * x, sums);
    }
}

/// Adds `term` of each column of each row to the sum of the column.
#[inline(always)]
fn add_rows<I: Iterator>(
    count: usize,
    row: impl Fn(usize) -> I,
    term: impl Fn(I::Item) -> f32,
    sums: &mut [f32],
) {
    let whole = count / 4 * 4;
    for first in (0..whole).step_by(4) {
        // Four rows are added to each other first: fewer additions follow each other, and sums are loaded and stored once.
        let four = row(first).zip(row(first + 1)).zip(row(first + 2).zip(row(first + 3)));
        for (sum, ((a, b), (c, d))) in sums.iter_mut().zip(four) {
            *sum += (term(a) + term(b)) + (term(c) + term(d));
        }
    }
    // In the order that they have with zeros after them, so that the bits do not depend on how many rows of zeros follow:
    // those after the end of a sequence.
    match count - whole {
        3 => {
            let three = row(whole).zip(row(whole + 1)).zip(row(whole + 2));
            sums.iter_mut()
                .zip(three)
                .for_each(|(sum, ((a, b), c))| *sum += (term(a) + term(b)) + term(c));
        }
        2 => {
            let two = row(whole).zip(row(whole + 1));
            sums.iter_mut().zip(two).for_each(|(sum, (a, b))| *sum += term(a) + term(b));
        }
        1 => sums.iter_mut().zip(row(whole)).for_each(|(sum, a)| *sum += term(a)),
        _ => {}
    }
}

dispatch! {
    /// The sum of all `a * b`.
    pub(crate) fn sum_of_all_products(a: &[f32], b: &[f32], sum: &mut f32) {
        // In 16 lanes: 32 additions follow each other in each.
        const TERMS: usize = 512;
        let mut total = 0.0;
        for (a, b) in a.chunks(TERMS).zip(b.chunks(TERMS)) {
            total += f64::from(rows::products(a, b, 0.0));
        }
        *sum = total as f32;
    }
}

/// The number of rows of a matrix with a column for each of `sums`.
const fn rows_of(matrix: &[f32], sums: &[f32]) -> usize {
    if sums.is_empty() { 0 } else { matrix.len() / sums.len() }
}

/// The sum of `a * b` over all rows, column by column.
pub(crate) fn sum_of_products(a: &[f32], b: &[f32], sums: &mut [f32]) {
    in_parts(rows_of(a, sums), sums, |part, sums| add_products(part, a, b, sums));
}

/// The sum of `x * d_y` over all rows, column by column, where `x` is not above 0.
pub(crate) fn sum_of_negative_products(x: &[f32], d_y: &[f32], sums: &mut [f32]) {
    in_parts(rows_of(x, sums), sums, |part, sums| add_negative_products(part, x, d_y, sums));
}

/// The sum of `d_y * (x - mean) * inverse` over all rows, column by column; `statistics` are the mean and the inverse
/// standard deviation of each row.
pub(crate) fn sum_of_normalised_products(
    x: &[f32],
    statistics: &[[f32; 2]],
    d_y: &[f32],
    sums: &mut [f32],
) {
    in_parts(rows_of(x, sums), sums, |part, sums| {
        add_normalised_products(part, x, statistics, d_y, sums);
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::tests::whole;

    /// Integers, whose sums are exact in any order.
    #[test]
    fn have_all_terms() {
        for rows in [0, 1, 3, 4, 64, 65, 131] {
            for columns in [1, 7, 256, 300] {
                let (a, b) = (whole(rows * columns, 1), whole(rows * columns, 2));
                let statistics: Vec<_> = (0..rows).map(|row| [row as f32, 2.0]).collect();
                let mut expected = vec![[0.0; 3]; columns];
                for (i, (a, b)) in a.iter().zip(&b).enumerate() {
                    let normalised = (a - (i / columns) as f32) * 2.0;
                    let terms = [a * b, if *a > 0.0 { 0.0 } else { a * b }, b * normalised];
                    let sums = &mut expected[i % columns];
                    sums.iter_mut().zip(terms).for_each(|(sum, term)| *sum += term);
                }
                let mut found = [(); 3].map(|()| vec![f32::NAN; columns]);
                sum_of_products(&a, &b, &mut found[0]);
                sum_of_negative_products(&a, &b, &mut found[1]);
                sum_of_normalised_products(&a, &statistics, &b, &mut found[2]);
                for (column, expected) in expected.iter().enumerate() {
                    let found = [0, 1, 2].map(|sum| found[sum][column]);
                    assert_eq!(found, *expected, "{rows} rows, column {column} of {columns}");
                }
            }
        }
    }
}
