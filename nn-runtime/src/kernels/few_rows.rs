//! [`few_rows`]: products of a few rows with weights that come from memory, which takes longer than the sums.
//!
//! Tiles read a few columns of many rows of weights; memory is faster if each row is read from its beginning to its
//! end. The sums stay in the first-level cache meanwhile, which has room for those of a few rows.

#![expect(
    clippy::needless_range_loop,
    reason = "indices below constants, so that arrays become registers"
)]

use super::add::add_to;
use super::dense_args::ColumnsArgs;
use super::isa::{Isa, Kernel, Lanes, load_row, store_row};
use super::product::{Init, LONG_DENSE_SUM, PARTIAL_SUM};

/// Rows of weights that are read side by side: sums are loaded and stored once for all of them. Eight vectors of
/// weights, a sum and an element of `x` fit into 16 registers.
const TERMS: usize = 8;

/// Elements of a part of long sums, which stay in the first-level cache: 16 kB, 2,048 columns of two rows.
const PART: usize = 1 << 12;

/// The same bits as [`dense_columns`](super::dense::dense_columns).
///
/// # Panics
/// If the lengths do not match.
pub(crate) fn few_rows(isa: Isa, args: ColumnsArgs<'_>) {
    let ColumnsArgs { inputs, units, stride, x, weight, init, y } = args;
    let rows = y.len() / units;
    assert!(y.len() == rows * units && x.len() == rows * inputs, "whole rows");
    let last = (inputs - 1).checked_mul(stride).and_then(|last| last.checked_add(units));
    assert!(last.is_some_and(|end| end <= weight.len()), "a weight for each input and unit");
    if rows == 0 {
        return;
    }
    // The sums are in `y` all the time, from one block of terms to the next.
    for y in y.chunks_exact_mut(units) {
        match init {
            Init::Zero => y.fill(0.0),
            Init::Bias(bias) => y.copy_from_slice(bias),
            // Only the parts of a `Product` are `Partial`.
            Init::Accumulate | Init::Partial => {}
        }
    }
    if inputs > LONG_DENSE_SUM {
        return long_sums(isa, ColumnsArgs { inputs, units, stride, x, weight, init, y });
    }
    let y = y.as_mut_ptr();
    isa.run(FewRows { rows, inputs, terms: inputs, units, stride, x, weight, y });
}

/// The same for long sums, from the initial values in `y`: in parts of [`PARTIAL_SUM`] terms.
fn long_sums(isa: Isa, args: ColumnsArgs<'_>) {
    let ColumnsArgs { inputs, units, stride, x, weight, y, .. } = args;
    let rows = y.len() / units;
    let (mut part, most) = ([0.0; PART], PART / rows);
    for column in (0..units).step_by(most) {
        let width = most.min(units - column);
        let columns = column..column + width;
        let part = &mut part[..rows * width];
        for first in (0..inputs).step_by(PARTIAL_SUM) {
            // The first part continues the initial values.
            for (y, part) in y.chunks_exact(units).zip(part.chunks_exact_mut(width)) {
                match first {
                    0 => part.copy_from_slice(&y[columns.clone()]),
                    _ => part.fill(0.0),
                }
            }
            let terms = PARTIAL_SUM.min(inputs - first);
            let (x, weight) = (&x[first..], &weight[first * stride + column..]);
            let y_of_part = part.as_mut_ptr();
            isa.run(FewRows { rows, inputs, terms, units: width, stride, x, weight, y: y_of_part });
            for (y, part) in y.chunks_exact_mut(units).zip(part.chunks_exact(width)) {
                match first {
                    0 => y[columns.clone()].copy_from_slice(part),
                    _ => add_to(&mut y[columns.clone()], part),
                }
            }
        }
    }
}

/// A product whose matrices have these sizes, as [`few_rows`] asserts. `y` holds the initial values of the sums.
struct FewRows<'a> {
    rows: usize,
    /// Elements from one row of `x` to the next.
    inputs: usize,
    /// Inputs that are summed.
    terms: usize,
    units: usize,
    stride: usize,
    x: &'a [f32],
    weight: &'a [f32],
    y: *mut f32,
}

impl Kernel for FewRows<'_> {
    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) {
        // The rest of the terms one by one: each sum has its terms in the same order as in a `Product`.
        let whole = self.terms - self.terms % TERMS;
        // SAFETY: `TERMS` terms are left at each `first` below `whole`, and one at the others.
        unsafe {
            for first in (0..whole).step_by(TERMS) {
                self.terms::<L, TERMS>(lanes, first);
            }
            for first in whole..self.terms {
                self.terms::<L, 1>(lanes, first);
            }
        }
    }
}

impl FewRows<'_> {
    /// Adds `K` terms to all sums.
    ///
    /// # Safety
    /// There must be `K` terms from `first` on.
    #[inline(always)]
    unsafe fn terms<L: Lanes, const K: usize>(&self, lanes: L, first: usize) {
        let whole = self.units - self.units % L::COUNT;
        // SAFETY: a vector of columns is left at each `column` below `whole`, and a partial one there.
        unsafe {
            // From the beginning of the rows to their end: the hardware prefetches such reads.
            for column in (0..whole).step_by(L::COUNT) {
                self.columns::<L, K, false>(lanes, first, column, L::COUNT);
            }
            if whole < self.units {
                self.columns::<L, K, true>(lanes, first, whole, self.units - whole);
            }
        }
    }

    /// Adds `K` terms to the sums of a vector of columns; with `EDGE` to those of `count` columns.
    ///
    /// # Safety
    /// There must be `K` terms from `first` on, and as many columns from `column` on.
    #[inline(always)]
    unsafe fn columns<L: Lanes, const K: usize, const EDGE: bool>(
        &self,
        lanes: L,
        first: usize,
        column: usize,
        count: usize,
    ) {
        let tail = lanes.tail(count);
        // SAFETY: `few_rows` asserted the lengths of all matrices, inside of which these terms, columns and rows are.
        unsafe {
            // `K` vectors of weights stay in registers for all rows of `x`.
            let mut weights = [lanes.zero(); K];
            for i in 0..K {
                let from = self.weight.as_ptr().add((first + i) * self.stride + column);
                [weights[i]] = load_row::<L, 1, EDGE>(lanes, from, tail);
            }
            for row in 0..self.rows {
                let y = self.y.add(row * self.units + column);
                let x = self.x.as_ptr().add(row * self.inputs + first);
                // One load and one store of the sum for `K` multiply-adds.
                let [mut sum] = load_row::<L, 1, EDGE>(lanes, y, tail);
                for i in 0..K {
                    sum = lanes.mul_add(lanes.splat(*x.add(i)), weights[i], sum);
                }
                store_row::<L, 1, EDGE>(lanes, y, &[sum], tail);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::dense::by_blocks;
    use crate::kernels::tests::{available, written};
    use crate::system::RngKey;

    #[test]
    fn gives_the_bits_of_tiles() {
        let values = |len: usize, stream: u64| -> Vec<f32> {
            (0..len).map(|i| RngKey::new(stream).uniform(i as u64) - 0.5).collect()
        };
        for isa in available() {
            let sizes = [(1, 1, 1), (1, 9, 40), (2, 4, 16), (3, 7, 33), (4, 10, 5)];
            // Long sums; more columns than one part of them has.
            let long = [(2, LONG_DENSE_SUM, 3), (8, LONG_DENSE_SUM + 1, 517), (2, 900, 2051)];
            for (rows, inputs, units) in sizes.into_iter().chain(long) {
                let stride = units + 3;
                let (x, weight) = (values(rows * inputs, 1), values(inputs * stride, 2));
                let (bias, before) = (values(units, 3), values(rows * units, 4));
                for init in [Init::Zero, Init::Bias(&bias), Init::Accumulate] {
                    let found = written(&before, |y| {
                        let (x, weight) = (&x, &weight);
                        few_rows(isa, ColumnsArgs { inputs, units, stride, x, weight, init, y });
                    });
                    let expected = written(&before, |y| {
                        let (x, weight) = (&x, &weight);
                        by_blocks(isa, ColumnsArgs { inputs, units, stride, x, weight, init, y });
                    });
                    assert_eq!(found, expected, "{isa:?}: {rows} rows, {inputs} to {units}");
                }
            }
        }
    }

    #[test]
    #[should_panic(expected = "a weight for each input and unit")]
    fn weights_end_inside_their_matrix() {
        let (inputs, units, stride, init) = (3, 4, 5, Init::Zero);
        let (x, weight, y) = (&[0.0; 3], &[0.0; 13], &mut [0.0; 4]);
        few_rows(Isa::Baseline, ColumnsArgs { inputs, units, stride, x, weight, init, y });
    }
}
