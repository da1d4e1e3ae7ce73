//! [`few_rows`]: products of one or two rows with weights that come from memory, which takes longer than the sums.
//!
//! Tiles go through a few columns of many rows of weights; memory is faster where each row is read from its
//! beginning to its end. The sums stay in the first-level cache meanwhile, which has room for those of few rows.

#![expect(clippy::needless_range_loop, reason = "indices below constants: what becomes registers")]

use super::isa::{Isa, Kernel, Lanes, load_row, store_row};
use super::product::Init;

/// Rows of weights that are read side by side: sums are loaded and stored once for all of them.
const TERMS: usize = 8;

/// As [`dense_columns`](super::dense_columns()), the same bits.
///
/// # Panics
/// When the lengths do not fit together.
#[expect(clippy::too_many_arguments, reason = "as `dense_columns`")]
pub(crate) fn few_rows(
    isa: Isa,
    inputs: usize,
    units: usize,
    stride: usize,
    x: &[f32],
    weight: &[f32],
    init: Init<'_>,
    y: &mut [f32],
) {
    let rows = y.len() / units;
    assert!(y.len() == rows * units && x.len() == rows * inputs, "whole rows");
    let last = (inputs - 1).checked_mul(stride).and_then(|last| last.checked_add(units));
    assert!(last.is_some_and(|end| end <= weight.len()), "a weight for each input and unit");
    for y in y.chunks_exact_mut(units) {
        match init {
            Init::Zero => y.fill(0.0),
            Init::Bias(row) => y.copy_from_slice(row),
            Init::Accumulate => {}
        }
    }
    let y = y.as_mut_ptr();
    // SAFETY: the matrices have these sizes.
    unsafe { isa.run(&FewRows { rows, inputs, units, stride, x, weight, y }) }
}

struct FewRows<'a> {
    rows: usize,
    inputs: usize,
    units: usize,
    stride: usize,
    x: &'a [f32],
    weight: &'a [f32],
    y: *mut f32,
}

impl Kernel for FewRows<'_> {
    #[inline(always)]
    unsafe fn run<L: Lanes>(&self) {
        let whole = self.inputs - self.inputs % TERMS;
        // SAFETY: the caller's; there are so many terms from there on.
        unsafe {
            for first in (0..whole).step_by(TERMS) {
                self.terms::<L, TERMS>(first);
            }
            for first in whole..self.inputs {
                self.terms::<L, 1>(first);
            }
        }
    }
}

impl FewRows<'_> {
    /// Adds `K` terms to all sums.
    ///
    /// # Safety
    /// The instructions of `L` must be there, and so many terms from `first` on.
    #[inline(always)]
    unsafe fn terms<L: Lanes, const K: usize>(&self, first: usize) {
        let whole = self.units - self.units % L::COUNT;
        // SAFETY: the caller's; so many columns are left.
        unsafe {
            for column in (0..whole).step_by(L::COUNT) {
                self.columns::<L, K, false>(first, column, L::COUNT);
            }
            if whole < self.units {
                self.columns::<L, K, true>(first, whole, self.units - whole);
            }
        }
    }

    /// The same for a vector of columns; with `EDGE` only `count` of them are there.
    ///
    /// # Safety
    /// As for [`Self::terms`], and there must be so many columns from `column` on.
    #[inline(always)]
    unsafe fn columns<L: Lanes, const K: usize, const EDGE: bool>(
        &self,
        first: usize,
        column: usize,
        count: usize,
    ) {
        // SAFETY: the caller's; sizes are those of the matrices.
        unsafe {
            let tail = L::tail(count);
            let mut weights = [L::zero(); K];
            for i in 0..K {
                let from = self.weight.as_ptr().add((first + i) * self.stride + column);
                [weights[i]] = load_row::<L, 1, EDGE>(from, tail);
            }
            for row in 0..self.rows {
                let y = self.y.add(row * self.units + column);
                let x = self.x.as_ptr().add(row * self.inputs + first);
                let [mut sum] = load_row::<L, 1, EDGE>(y, tail);
                for i in 0..K {
                    sum = L::mul_add(L::splat(*x.add(i)), weights[i], sum);
                }
                store_row::<L, 1, EDGE>(y, &[sum], tail);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::product::{Product, Strides3};
    use crate::kernels::tests::{available, written};
    use crate::system::RngKey;

    #[test]
    fn gives_the_bits_of_a_product() {
        let numbers = |len: usize, stream: u64| -> Vec<f32> {
            (0..len).map(|i| RngKey::new(stream).uniform(i as u64) - 0.5).collect()
        };
        for isa in available() {
            for (rows, inputs, units) in [(1, 1, 1), (1, 9, 40), (2, 4, 16), (3, 7, 33), (4, 10, 5)]
            {
                let stride = units + 3;
                let (x, weight) = (numbers(rows * inputs, 1), numbers(inputs * stride, 2));
                let (bias, before) = (numbers(units, 3), numbers(rows * units, 4));
                for init in [Init::Zero, Init::Bias(&bias), Init::Accumulate] {
                    let found = written(&before, |y| {
                        few_rows(isa, inputs, units, stride, &x, &weight, init, y);
                    });
                    let terms = Strides3::one_loop(inputs, 1, stride);
                    let rows = Strides3::one_loop(rows, inputs, units);
                    let product = Product { rows, terms, columns: units, init };
                    let expected = written(&before, |y| product.compute(isa, &x, &weight, y));
                    assert_eq!(found, expected, "{isa:?}: {rows:?}, {inputs} to {units}");
                }
            }
        }
    }

    #[test]
    #[should_panic(expected = "a weight for each input and unit")]
    fn weights_end_inside_their_matrix() {
        few_rows(Isa::Baseline, 3, 4, 5, &[0.0; 3], &[0.0; 13], Init::Zero, &mut [0.0; 4]);
    }
}
