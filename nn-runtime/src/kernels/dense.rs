//! The kernels of dense layers. Each has a twin of the same name in `reference.rs`.

use super::chains::chains;
use super::dots::{RowProduct, dots};
use super::few_rows::few_rows;
use super::inline::Instructions;
use super::isa::Isa;
use super::product::{Accumulate, Init, Product, Strides3};
use super::small::{small_dense, small_dense_inlined};

/// As many inputs as are summed at a time, so that the part of the weights that a panel of columns
/// needs stays in the second-level cache, and the rows' part in the first-level one. Sums are the same bits in blocks
/// of any size.
const BLOCK: usize = 512;

/// The same for rows that are few where weights come from memory, and not a little of each of many rows of weights.
const FAR_BLOCK: usize = 16;

/// Whether weights are so many that they come from memory each time.
const fn is_far(weights: usize) -> bool {
    weights >= 1 << 21
}

/// `y = x W + b` for rows of `x`: `x` is `[n, inputs]`, `weight` `[inputs, units]`, `bias` `[units]` or
/// empty.
///
/// Inlined where sizes are constants, so that programs hold the kernels for their layers alone.
///
/// # Panics
/// When the lengths do not fit together.
#[inline(always)]
pub fn dense(
    isa: Isa,
    inputs: usize,
    units: usize,
    x: &[f32],
    weight: &[f32],
    bias: &[f32],
    y: &mut [f32],
) {
    if is_small(inputs, units) {
        return small_dense(isa, inputs, units, x, weight, bias, y);
    }
    dense_columns(isa, inputs, units, units, x, weight, Init::bias(bias), y);
}

/// `y = x W` or `y = y + x W`.
///
/// # Panics
/// When the lengths do not fit together.
pub(crate) fn dense_onto(
    isa: Isa,
    inputs: usize,
    units: usize,
    accumulate: Accumulate,
    x: &[f32],
    weight: &[f32],
    y: &mut [f32],
) {
    dense_columns(isa, inputs, units, units, x, weight, accumulate.into(), y);
}

/// The same bits as [`dense`], inlined.
///
/// # Panics
/// When the lengths do not fit together.
#[inline(always)]
pub(crate) fn dense_inlined<I: Instructions>(
    isa: I,
    inputs: usize,
    units: usize,
    x: &[f32],
    weight: &[f32],
    bias: &[f32],
    y: &mut [f32],
) {
    if is_small(inputs, units) {
        return small_dense_inlined(isa, inputs, units, x, weight, bias, y);
    }
    assert!(x.len() / inputs == y.len() / units, "as many rows of both");
    for (x, y) in x.chunks_exact(inputs).zip(y.chunks_exact_mut(units)) {
        chains(isa, units, [bias, &[]], [(x, weight)], y);
    }
}

/// `y = x W + b`, where `W` is some columns of a matrix whose rows have `stride` numbers, and `b` is what
/// the product begins with.
///
/// # Panics
/// When the lengths do not fit together.
#[expect(clippy::too_many_arguments, reason = "as `dense`, and how far the rows lie apart")]
#[inline(always)]
pub(crate) fn dense_columns(
    isa: Isa,
    inputs: usize,
    units: usize,
    stride: usize,
    x: &[f32],
    weight: &[f32],
    init: Init<'_>,
    y: &mut [f32],
) {
    let by = if is_far(inputs * units) && y.len() <= 2 * units { few_rows } else { by_blocks };
    by(isa, inputs, units, stride, x, weight, init, y);
}

/// As [`dense_columns`], by blocks of inputs.
#[expect(clippy::too_many_arguments, reason = "as `dense_columns`")]
fn by_blocks(
    isa: Isa,
    inputs: usize,
    units: usize,
    stride: usize,
    x: &[f32],
    weight: &[f32],
    init: Init<'_>,
    y: &mut [f32],
) {
    let rows = Strides3::one_loop(y.len() / units, inputs, units);
    let block = if is_far(inputs * units) && rows.len() <= 8 { FAR_BLOCK } else { BLOCK };
    let mut init = init;
    let mut first = 0;
    while first < inputs {
        let count = block.min(inputs - first);
        let terms = Strides3::one_loop(count, 1, stride);
        let product = Product { rows, terms, columns: units, init };
        product.compute(isa, &x[first..], &weight[first * stride..], y);
        init = Init::Accumulate;
        first += count;
    }
}

/// `y = x Wᵀ + b`: as [`dense`] with a weight of one row for each output, `[units, inputs]`.
///
/// # Panics
/// When the lengths do not fit together.
pub fn dense_transposed(
    isa: Isa,
    inputs: usize,
    units: usize,
    x: &[f32],
    weight: &[f32],
    bias: &[f32],
    y: &mut [f32],
) {
    if bias.is_empty() {
        return dots(isa, inputs, x, weight, y);
    }
    assert!(
        bias.len() == units && y.len().is_multiple_of(units),
        "whole rows, a bias for each unit"
    );
    y.chunks_exact_mut(units).for_each(|y| y.copy_from_slice(bias));
    let (rows, strides) = (y.len() / units, [inputs, inputs, units]);
    let product =
        RowProduct { rows, columns: units, k: inputs, strides, accumulate: Accumulate::Add };
    product.compute(isa, x, weight, y);
}

/// Whether a layer is so small that the bookkeeping of a [`Product`] would take longer than its sums: for
/// single samples and batches alike, which get the same bits.
const fn is_small(inputs: usize, units: usize) -> bool {
    units <= 32 && inputs * units <= 512
}

/// `d_x = d_y Wᵀ`
///
/// # Panics
/// When the lengths do not fit together.
pub fn dense_d_x(isa: Isa, units: usize, d_y: &[f32], weight: &[f32], d_x: &mut [f32]) {
    dots(isa, units, d_y, weight, d_x);
}

/// Where the rows of a batch lie that came in several blocks, one for each shard.
#[derive(Clone, Copy, Debug)]
pub struct RowBlocks {
    /// How many blocks.
    pub count: usize,
    /// Numbers from the beginning of one to the next.
    pub stride: usize,
    /// Rows in each.
    pub rows: usize,
}

impl RowBlocks {
    /// Rows that lie in one block.
    #[must_use]
    pub const fn one(rows: usize) -> Self {
        Self { count: 1, stride: 0, rows }
    }

    /// The rows, when they are `a` and `other` numbers apart.
    pub(super) const fn strides(self, a: usize, other: usize) -> Strides3 {
        let Self { count, stride, rows } = self;
        Strides3 { count: [1, count, rows], a: [0, stride, a], other: [0, stride, other] }
    }
}

/// `d_weight = xᵀ d_y`, or some rows of it only, from row `first` on.
///
/// # Panics
/// When the lengths do not fit together.
#[expect(clippy::too_many_arguments, reason = "sizes, two inputs, one output")]
pub fn dense_d_weight(
    isa: Isa,
    inputs: usize,
    units: usize,
    accumulate: Accumulate,
    blocks: RowBlocks,
    first: usize,
    x: &[f32],
    d_y: &[f32],
    d_weight: &mut [f32],
) {
    let product = Product {
        rows: Strides3::one_loop(d_weight.len() / units, 1, units),
        terms: blocks.strides(inputs, units),
        columns: units,
        init: accumulate.into(),
    };
    product.compute(isa, &x[first..], d_y, d_weight);
}

/// The sum of all rows of `d_y`; nothing where there is no bias.
///
/// # Panics
/// When the lengths do not fit together.
pub fn d_bias(
    isa: Isa,
    accumulate: Accumulate,
    blocks: RowBlocks,
    d_y: &[f32],
    d_bias: &mut [f32],
) {
    if d_bias.is_empty() {
        return;
    }
    let terms = blocks.strides(0, d_bias.len());
    let product = Product {
        rows: Strides3::one_loop(1, 0, 0),
        // The same 1 for each row.
        terms: Strides3 { a: [0; 3], ..terms },
        columns: d_bias.len(),
        init: accumulate.into(),
    };
    product.compute(isa, &[1.0], d_y, d_bias);
}
