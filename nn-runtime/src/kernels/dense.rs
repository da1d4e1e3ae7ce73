//! The kernels of dense layers. Each has a naive twin of the same name in `reference.rs`.

use super::chains::{Count, chains};
use super::dense_args::{ColumnsArgs, DenseArgs, DenseDWeightArgs};
use super::dots::{RowProduct, dots};
use super::few_rows::few_rows;
use super::inline::Instructions;
use super::isa::Isa;
use super::product::{Accumulate, Init, LONG_DENSE_SUM, PARTIAL_SUM, Product, Strides3};
use super::small::{small_dense, small_dense_inlined};
use super::split::dense_on_threads;

/// Inputs that are summed at a time, so that the part of the weights that a panel of columns needs stays in the
/// second-level cache and the rows' part in the first-level one: 128 kB for a panel of 64 columns, and 12 kB for six
/// rows. It is `kc` of BLIS.
const BLOCK: usize = 512;

/// The same for a few rows and weights that come from memory: smaller, so that tiles do not read a little of each of
/// many rows of weights.
const FAR_BLOCK: usize = 16;

/// Rows that are few for such weights.
const FEW_ROWS: usize = 8;

/// Whether weights are so large that they come from memory each time: 8 MB or more.
const fn is_far(weights: usize) -> bool {
    weights >= 1 << 21
}

/// `y = x W + b` for the rows of `x`.
///
/// Inlined where sizes are constants, so that programs contain the kernels of their layers only.
///
/// # Panics
/// If the lengths do not match.
#[inline(always)]
pub fn dense(isa: Isa, args: DenseArgs<'_>) {
    if is_small(args.inputs, args.units) {
        return small_dense(isa, args);
    }
    let DenseArgs { inputs, units, x, weight, bias, y } = args;
    let init = Init::bias(bias);
    dense_columns(isa, ColumnsArgs { inputs, units, stride: units, x, weight, init, y });
}

/// The same bits as [`dense`], inlined, for a layer of `IN` inputs and `UNITS` units.
///
/// # Panics
/// If the lengths do not match.
#[inline(always)]
pub(crate) fn dense_inlined<const IN: usize, const UNITS: usize, I: Instructions>(
    isa: I,
    args: DenseArgs<'_>,
) {
    // `const`, so that `rustc` generates one of both only: see `Columns`.
    if const { is_small(IN, UNITS) } {
        return small_dense_inlined::<UNITS, I>(isa, args);
    }
    let DenseArgs { x, weight, bias, y, .. } = args;
    assert!(x.len() / IN == y.len() / UNITS, "as many rows of both");
    for (x, y) in x.chunks_exact(IN).zip(y.chunks_exact_mut(UNITS)) {
        chains::<Count<UNITS>, I, 1>(isa, [bias, &[]], [(x, weight)], y);
    }
}

/// `y = x W` with some columns of a matrix.
///
/// # Panics
/// If the lengths do not match.
#[inline(always)]
pub(crate) fn dense_columns(isa: Isa, args: ColumnsArgs<'_>) {
    // From three rows on, tiles are as fast (docs/decisions/0008), but tiles of long sums cannot read blocks that are
    // smaller than their parts. All have the same bits.
    let few = if args.inputs > LONG_DENSE_SUM { FEW_ROWS } else { 2 };
    let far = is_far(args.inputs * args.units);
    let by = if far && args.y.len() <= few * args.units { few_rows } else { by_blocks };
    dense_on_threads(by, isa, args);
}

/// [`dense_columns`] in blocks of inputs.
pub(super) fn by_blocks(isa: Isa, args: ColumnsArgs<'_>) {
    let ColumnsArgs { inputs, units, stride, x, weight, mut init, y } = args;
    // Blocks of the sum: the first one begins with `init`, each other one adds to `y`, in the order of the inputs.
    let rows = Strides3::one_loop(y.len() / units, inputs, units);
    // With more rows than one or two tiles, each weight that comes from memory is used by several tiles, so that the
    // order of the reads matters less.
    let far = is_far(inputs * units) && rows.len() <= FEW_ROWS;
    let (block, then) = match inputs > LONG_DENSE_SUM {
        true => (PARTIAL_SUM, Init::Partial),
        false => (if far { FAR_BLOCK } else { BLOCK }, Init::Accumulate),
    };
    for first in (0..inputs).step_by(block) {
        let terms = Strides3::one_loop(block.min(inputs - first), 1, stride);
        let product = Product::new(rows, terms, units, init);
        product.compute(isa, &x[first..], &weight[first * stride..], y);
        init = then;
    }
}

/// `y = x Wᵀ + b`: as [`dense`], with a weight `[units, inputs]`.
///
/// # Panics
/// If the lengths do not match.
pub fn dense_transposed(isa: Isa, args: DenseArgs<'_>) {
    let DenseArgs { inputs, units, x, weight, bias, y } = args;
    if bias.is_empty() {
        return dots(isa, inputs, x, weight, y);
    }
    assert!(
        bias.len() == units && y.len().is_multiple_of(units),
        "whole rows, a bias for each unit"
    );
    // `RowProduct` adds to its output or overwrites it, so that the bias is written first.
    y.chunks_exact_mut(units).for_each(|y| y.copy_from_slice(bias));
    let (rows, strides) = (y.len() / units, [inputs, inputs, units]);
    let (columns, k) = (units, inputs);
    let product = RowProduct { rows, columns, k, strides, accumulate: Accumulate::Add };
    product.compute(isa, x, weight, y);
}

/// Whether a layer is so small that the bookkeeping of a [`Product`] would take longer than its sums. Depends on the
/// layer only: single samples and batches have the same bits.
pub(crate) const fn is_small(inputs: usize, units: usize) -> bool {
    units <= 32 && inputs * units <= 512
}

/// `d_x = d_y Wᵀ`
///
/// # Panics
/// If the lengths do not match.
pub fn dense_d_x(isa: Isa, units: usize, d_y: &[f32], weight: &[f32], d_x: &mut [f32]) {
    // Sums of lanes instead of a transposed weight, which for a small batch would take longer to make than it saves.
    // Dense layers of sequences transpose it once per step (docs/decisions/0006).
    dots(isa, units, d_y, weight, d_x);
}

/// `d_weight = xᵀ d_y`, or some rows of it.
///
/// # Panics
/// If the lengths do not match.
pub fn dense_d_weight(isa: Isa, args: DenseDWeightArgs<'_>) {
    let DenseDWeightArgs { inputs, units, accumulate, blocks, first, x, d_y, d_weight } = args;
    // Rows of the product are rows of the weight, which are columns of `x`; its terms are the rows of the batch.
    let rows = Strides3::one_loop(d_weight.len() / units, 1, units);
    let product = Product::new(rows, blocks.strides(inputs, units), units, accumulate.into());
    product.compute_in_parts(isa, &x[first..], d_y, d_weight);
}
