//! Arguments of the kernels of dense layers.

use super::product::{Accumulate, Init, Strides3};

/// A dense layer: `y = x W + b` for each row of `x`.
#[derive(Debug)]
pub struct DenseArgs<'a> {
    /// Elements in a row of `x`.
    pub inputs: usize,
    /// Elements in a row of `y`.
    pub units: usize,
    /// `[n, inputs]`
    pub x: &'a [f32],
    /// `[inputs, units]`, or `[units, inputs]` where the function says so.
    pub weight: &'a [f32],
    /// `[units]`, or empty.
    pub bias: &'a [f32],
    /// `[n, units]`, overwritten.
    pub y: &'a mut [f32],
}

/// A product `y = x W` with some columns of a matrix.
pub(crate) struct ColumnsArgs<'a> {
    /// Elements in a row of `x`.
    pub(crate) inputs: usize,
    /// Elements in a row of `y`, and columns of the matrix.
    pub(crate) units: usize,
    /// Elements from one row of the matrix to the next.
    pub(crate) stride: usize,
    /// `[n, inputs]`
    pub(crate) x: &'a [f32],
    /// The matrix, from the first of its columns on.
    pub(crate) weight: &'a [f32],
    /// The initial value of the sums.
    pub(crate) init: Init<'a>,
    /// `[n, units]`
    pub(crate) y: &'a mut [f32],
}

/// The gradient of a weight: `d_weight = xᵀ d_y`, or some rows of it.
#[derive(Debug)]
pub struct DenseDWeightArgs<'a> {
    /// Elements in a row of `x`.
    pub inputs: usize,
    /// Elements in a row of `d_y`.
    pub units: usize,
    /// Whether the gradient is added to `d_weight`.
    pub accumulate: Accumulate,
    /// The rows of `x` and `d_y`.
    pub blocks: RowBlocks,
    /// The first row of the weight. The length of `d_weight` determines how many follow.
    pub first: usize,
    /// Rows of `inputs` elements.
    pub x: &'a [f32],
    /// Rows of `units` elements.
    pub d_y: &'a [f32],
    /// `[rows, units]`
    pub d_weight: &'a mut [f32],
}

/// The positions of the rows of a batch that consists of several blocks, one for each shard.
#[derive(Clone, Copy, Debug)]
pub struct RowBlocks {
    /// Number of blocks.
    pub count: usize,
    /// Elements from the beginning of a block to that of the next.
    pub stride: usize,
    /// Rows in each block.
    pub rows: usize,
}

impl RowBlocks {
    /// A single block of `rows`.
    #[must_use]
    pub const fn one(rows: usize) -> Self {
        Self { count: 1, stride: 0, rows }
    }

    /// Loops over the rows of two matrices, whose rows have `a` and `other` elements.
    pub(super) const fn strides(self, a: usize, other: usize) -> Strides3 {
        let Self { count, stride, rows } = self;
        // Two loops; a `Product` merges them where blocks are contiguous.
        Strides3 { count: [1, count, rows], a: [0, stride, a], other: [0, stride, other] }
    }
}
