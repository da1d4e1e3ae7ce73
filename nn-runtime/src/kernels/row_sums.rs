//! Sums over the rows of a matrix, column by column: gradients of biases, of slopes and of factors.
//!
//! Parts of a few dozen rows are added in `f32`, and the parts in `f64`, so that the rounding error does not grow with
//! the number of rows (docs/decisions/0025).

use super::dense_args::RowBlocks;
use super::dispatch::dispatch;
use super::isa::{Isa, Kernel, Lanes};
use super::product::Accumulate;

/// Rows of a part that each chain of additions has.
const CHAIN: usize = 16;

/// The term that each row of a matrix adds to the sum of each column.
trait Terms {
    /// The terms of `L` columns of row `row`, the first of which is element `at` of the matrix.
    fn get<const L: usize>(&self, row: usize, at: usize) -> [f32; L];
}

/// Adds up the rows of `blocks`, which have a column for each of `sums`.
#[inline(always)]
fn sum_rows(blocks: RowBlocks, accumulate: Accumulate, terms: &impl Terms, sums: &mut [f32]) {
    let columns = sums.len();
    let mut first = 0;
    while first < columns {
        // Blocks of a constant number of columns become vectors. The last block overlaps the one before: it computes
        // some sums again, which takes less time than a narrow block for each column that is left.
        first += match columns - first {
            32.. => block::<32, 2>(blocks, accumulate, terms, first, sums),
            _ if columns >= 16 => block::<16, 4>(blocks, accumulate, terms, first, sums),
            _ if columns >= 4 => block::<4, 4>(blocks, accumulate, terms, first, sums),
            _ => block::<1, 8>(blocks, accumulate, terms, first, sums),
        };
    }
}

/// Computes the sums of `L` columns, in `R` chains of rows: independent additions, which hide the latency. Returns the
/// number of columns from `first` on that are done.
#[inline(always)]
fn block<const L: usize, const R: usize>(
    blocks: RowBlocks,
    accumulate: Accumulate,
    terms: &impl Terms,
    first: usize,
    sums: &mut [f32],
) -> usize {
    let begin = first.min(sums.len() - L);
    let totals = totals::<L, R>(blocks, terms, sums.len(), begin);
    let skipped = first - begin;
    for (sum, total) in sums[first..].iter_mut().zip(&totals[skipped..]) {
        *sum = match accumulate {
            Accumulate::Overwrite => *total as f32,
            Accumulate::Add => (f64::from(*sum) + total) as f32,
        };
    }
    L - skipped
}

/// The sums of `L` columns from `begin` on.
#[inline(always)]
fn totals<const L: usize, const R: usize>(
    blocks: RowBlocks,
    terms: &impl Terms,
    columns: usize,
    begin: usize,
) -> [f64; L] {
    let mut totals = [0.0; L];
    let mut chains = [[0.0_f32; L]; R];
    // Rows since the chains were last added to the totals: a block may have a few rows only.
    let mut rows = 0;
    for block in 0..blocks.count {
        let mut row = 0;
        while row < blocks.rows {
            let end = blocks.rows.min(row + R * CHAIN - rows);
            let at = block * blocks.stride + begin;
            rows += end - row;
            while row + R <= end {
                for (r, chain) in chains.iter_mut().enumerate() {
                    add(chain, terms.get(row + r, at + (row + r) * columns));
                }
                row += R;
            }
            while row < end {
                add(&mut chains[0], terms.get(row, at + row * columns));
                row += 1;
            }
            if rows == R * CHAIN {
                flush(&mut chains, &mut totals);
                rows = 0;
            }
        }
    }
    flush(&mut chains, &mut totals);
    totals
}

#[inline(always)]
fn add<const L: usize>(chain: &mut [f32; L], terms: [f32; L]) {
    for l in 0..L {
        chain[l] += terms[l];
    }
}

/// Adds the chains, joined in pairs, to the totals, and clears them.
#[inline(always)]
fn flush<const L: usize, const R: usize>(chains: &mut [[f32; L]; R], totals: &mut [f64; L]) {
    let mut half = R / 2;
    while half > 0 {
        for r in 0..half {
            let other = chains[r + half];
            add(&mut chains[r], other);
        }
        half /= 2;
    }
    for l in 0..L {
        totals[l] += f64::from(chains[0][l]);
    }
    *chains = [[0.0; L]; R];
}

/// `L` elements of a matrix.
#[inline(always)]
fn lanes<const L: usize>(matrix: &[f32], at: usize) -> &[f32; L] {
    matrix[at..].first_chunk().expect("rows end inside of the matrix")
}

/// The elements themselves.
struct Plain<'a>(&'a [f32]);

impl Terms for Plain<'_> {
    #[inline(always)]
    fn get<const L: usize>(&self, _row: usize, at: usize) -> [f32; L] {
        *lanes(self.0, at)
    }
}

/// The products of the elements of two matrices.
struct Products<'a>([&'a [f32]; 2]);

impl Terms for Products<'_> {
    #[inline(always)]
    fn get<const L: usize>(&self, _row: usize, at: usize) -> [f32; L] {
        let [a, b] = self.0.map(|matrix| lanes::<L>(matrix, at));
        core::array::from_fn(|l| a[l] * b[l])
    }
}

/// The products of the elements of two matrices where the first is not above 0.
struct NegativeProducts<'a>([&'a [f32]; 2]);

impl Terms for NegativeProducts<'_> {
    #[inline(always)]
    fn get<const L: usize>(&self, _row: usize, at: usize) -> [f32; L] {
        let [x, d_y] = self.0.map(|matrix| lanes::<L>(matrix, at));
        core::array::from_fn(|l| if x[l] > 0.0 { 0.0 } else { x[l] * d_y[l] })
    }
}

/// The products of the elements of the second matrix with those of the first, normalised by the mean and the inverse
/// standard deviation of their row.
struct NormalisedProducts<'a> {
    x: &'a [f32],
    d_y: &'a [f32],
    statistics: &'a [[f32; 2]],
}

impl Terms for NormalisedProducts<'_> {
    #[inline(always)]
    fn get<const L: usize>(&self, row: usize, at: usize) -> [f32; L] {
        let [mean, inverse] = self.statistics[row];
        let (x, d_y) = (lanes::<L>(self.x, at), lanes::<L>(self.d_y, at));
        core::array::from_fn(|l| d_y[l] * ((x[l] - mean) * inverse))
    }
}

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
    isa.run(BiasSums { accumulate, blocks, d_y, d_bias });
}

struct BiasSums<'a> {
    accumulate: Accumulate,
    blocks: RowBlocks,
    d_y: &'a [f32],
    d_bias: &'a mut [f32],
}

impl Kernel for BiasSums<'_> {
    #[inline(always)]
    fn run<L: Lanes>(self, _lanes: L) {
        sum_rows(self.blocks, self.accumulate, &Plain(self.d_y), self.d_bias);
    }
}

/// All rows of a matrix with a column for each of `sums`.
const fn rows_of(matrix: &[f32], sums: &[f32]) -> RowBlocks {
    RowBlocks::one(if sums.is_empty() { 0 } else { matrix.len() / sums.len() })
}

dispatch! {
    /// The sum of all rows of `x`.
    pub(crate) fn sum_of_rows(x: &[f32], sums: &mut [f32]) {
        sum_rows(rows_of(x, sums), Accumulate::Overwrite, &Plain(x), sums);
    }

    /// The sum of `a * b` over all rows, column by column.
    pub(crate) fn sum_of_products(a: &[f32], b: &[f32], sums: &mut [f32]) {
        sum_rows(rows_of(a, sums), Accumulate::Overwrite, &Products([a, b]), sums);
    }

    /// The sum of `x * d_y` over all rows, column by column, where `x` is not above 0.
    pub(crate) fn sum_of_negative_products(x: &[f32], d_y: &[f32], sums: &mut [f32]) {
        sum_rows(rows_of(x, sums), Accumulate::Overwrite, &NegativeProducts([x, d_y]), sums);
    }

    /// The sum of `d_y * (x - mean) * inverse` over all rows, column by column; `statistics` are the mean and the inverse
    /// standard deviation of each row.
    pub(crate) fn sum_of_normalised_products(
        x: &[f32],
        statistics: &[[f32; 2]],
        d_y: &[f32],
        sums: &mut [f32],
    ) {
        let terms = NormalisedProducts { x, d_y, statistics };
        sum_rows(rows_of(x, sums), Accumulate::Overwrite, &terms, sums);
    }
}
