//! [`Geometry`]: the sizes of a convolution.

use super::Border;
#[cfg(doc)]
use super::conv2d_d_weight;
use super::depthwise::is_depthwise;
use unrolled_shape::rules::window::Window;
use unrolled_shape::{Shape, StepMap};

/// The sizes of a convolution; pairs are height and width.
///
/// Pictures are `[H, W, C]`, weights `[KH, KW, C / groups, F]`. Output channel `f` reads the input
/// channels of its group, `f / (F / groups)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Geometry {
    /// The input picture.
    pub input: [usize; 2],
    /// Its channels.
    pub channels: usize,
    /// The output picture.
    pub output: [usize; 2],
    /// Its channels.
    pub filters: usize,
    /// The kernel.
    pub kernel: [usize; 2],
    /// How far the kernel goes in one step.
    pub stride: [usize; 2],
    /// Zeros before the first and behind the last element of each axis.
    pub padding: [[usize; 2]; 2],
    /// How far apart the kernel's elements are.
    pub dilation: [usize; 2],
    /// Into how many groups the channels are split.
    pub groups: usize,
}

impl Geometry {
    /// The sizes of a convolution by `window`, from `input` to `output`. Steps are pixels of a picture
    /// that is 1 high. Sizes of 0, which the rule refuses, count as 1, so that the compiler tells of them
    /// there and nowhere else.
    #[must_use]
    pub const fn new(window: Window, input: Shape, output: Shape, groups: usize) -> Self {
        let (input, output) = (window.as_image(input), window.as_image(output));
        Self {
            input: at_least_1([input.dim(0), input.dim(1)]),
            channels: input.dim(2),
            output: [output.dim(0), output.dim(1)],
            filters: output.dim(2),
            kernel: at_least_1(window.kernel),
            stride: at_least_1(window.stride),
            padding: window.padding,
            dilation: window.dilation,
            groups: at_least_1([groups; 2])[0],
        }
    }

    /// Numbers in one input picture.
    #[must_use]
    pub const fn input_len(&self) -> usize {
        self.input[0] * self.input[1] * self.channels
    }

    /// Numbers in one output picture.
    #[must_use]
    pub const fn output_len(&self) -> usize {
        self.output[0] * self.output[1] * self.filters
    }

    /// Numbers in the weights.
    #[must_use]
    pub const fn weight_len(&self) -> usize {
        self.kernel[0] * self.kernel[1] * self.group_channels() * self.filters
    }

    /// Input channels of one group.
    #[must_use]
    pub const fn group_channels(&self) -> usize {
        self.channels / self.groups
    }

    /// Output channels of one group.
    #[must_use]
    pub const fn group_filters(&self) -> usize {
        self.filters / self.groups
    }

    /// The same convolution of pictures that have their padding already.
    #[must_use]
    pub const fn padded(self) -> Self {
        Self { input: self.border().around(self.input), padding: [[0; 2]; 2], ..self }
    }

    /// The same convolution of a picture that is 1 high and `valid` wide: as the steps of a sequence that
    /// ends early. Nothing comes out where the kernel does not fit.
    #[must_use]
    pub const fn of_steps(self, valid: usize) -> Self {
        let extent = self.dilation[1] * (self.kernel[1] - 1) + 1;
        let [before, after] = self.padding[1];
        let map = StepMap::kernel(extent, self.stride[1], before + after);
        Self { input: [1, valid], output: [1, map.apply(valid)], ..self }
    }

    /// What stands around an input picture.
    #[must_use]
    pub const fn border(&self) -> Border {
        let [height, width] = self.padding;
        Border { before: [height[0], width[0]], after: [height[1], width[1]] }
    }

    /// Numbers of an input picture with its padding; none where there is none.
    #[must_use]
    pub const fn padded_len(&self) -> usize {
        self.border().len(self.input, self.channels)
    }

    /// Numbers that [`conv2d_d_weight`] needs while it runs: where each element of the kernel has few
    /// channels, the registers are better filled by all elements together, which meet the same pixels only
    /// in a picture with its padding. (Depthwise convolutions have a kernel of their own.)
    #[must_use]
    pub const fn scratch_len(&self) -> usize {
        const FEW: usize = 8;
        if self.group_channels() < FEW && !is_depthwise(self) { self.padded_len() } else { 0 }
    }
}

/// Each size, or 1.
const fn at_least_1([height, width]: [usize; 2]) -> [usize; 2] {
    [if height > 0 { height } else { 1 }, if width > 0 { width } else { 1 }]
}
