//! Arguments of the kernels of convolutions.

use super::epilogue::Epilogue;
use super::geometry::Taps;
use super::product::Accumulate;

/// What a convolution does with its output: whether it adds to it, which needs an empty bias, and what it computes from
/// the sums before it stores them.
pub(super) type Onto<'a> = (Accumulate, Epilogue<'a>);

/// A convolution `y = x * W + b` of images or volumes, or its input gradient, in which `x` is the gradient of the output
/// and `y` that of the input.
#[derive(Debug)]
pub struct ConvArgs<'a> {
    /// `[n, H, W, C]`
    pub x: &'a [f32],
    /// `[KH, KW, C / groups, F]`
    pub weight: &'a [f32],
    /// `[F]`, or empty.
    pub bias: &'a [f32],
    /// `[n, H', W', F]`, overwritten.
    pub y: &'a mut [f32],
}

impl<'a> ConvArgs<'a> {
    /// The arguments for some of the images.
    pub(super) fn images<'b>(
        &'b mut self,
        x: core::ops::Range<usize>,
        y: core::ops::Range<usize>,
    ) -> ConvArgs<'b>
    where
        'a: 'b,
    {
        let (weight, bias) = (self.weight, self.bias);
        ConvArgs { x: &self.x[x], weight, bias, y: &mut self.y[y] }
    }
}

/// The gradient of the weights of a convolution, or of some of them.
#[derive(Debug)]
pub struct ConvDWeightArgs<'a> {
    /// The first weights of a part of the gradient, or `None` for all weights.
    pub part: Option<Taps>,
    /// Whether the gradient is added to `d_weight`.
    pub accumulate: Accumulate,
    /// `[n, H, W, C]`
    pub x: &'a [f32],
    /// `[n, H', W', F]`
    pub d_y: &'a [f32],
    /// All weights, or rows of `F` weights of one kernel element.
    pub d_weight: &'a mut [f32],
    /// [`Geometry::scratch_len`](super::geometry::Geometry::scratch_len) elements, none for a part.
    pub scratch: &'a mut [f32],
}
