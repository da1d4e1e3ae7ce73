//! [`Geometry`]: the sizes of a convolution.

use super::border::Border;
use core::ops::Range;
use unrolled_shape::rules::window::Window;
use unrolled_shape::{Shape, StepMap};

/// The sizes of a convolution; pairs are height and width.
///
/// Images are `[H, W, C]`, weights `[KH, KW, C / groups, F]`. Output channel `f` reads the input channels of its group,
/// `f / (F / groups)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Geometry {
    /// Height and width of the input.
    pub input: [usize; 2],
    /// Channels of the input.
    pub channels: usize,
    /// Height and width of the output.
    pub output: [usize; 2],
    /// Channels of the output.
    pub filters: usize,
    /// Height and width of the kernel.
    pub kernel: [usize; 2],
    /// Input pixels from one output pixel to the next.
    pub stride: [usize; 2],
    /// Zeros before the first and after the last element of each axis.
    pub padding: [[usize; 2]; 2],
    /// Input pixels from one kernel element to the next.
    pub dilation: [usize; 2],
    /// Number of groups that the channels are split into.
    pub groups: usize,
}

impl Geometry {
    /// The sizes of a convolution by `window`, from `input` to `output`. Steps are pixels of an image that is 1 high.
    ///
    /// Sizes of 0, which the shape rule refuses, count as 1, so that the compiler reports them there only.
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

    /// Elements of one input image.
    #[must_use]
    pub const fn input_len(&self) -> usize {
        self.input[0] * self.input[1] * self.channels
    }

    /// Elements of one output image.
    #[must_use]
    pub const fn output_len(&self) -> usize {
        self.output[0] * self.output[1] * self.filters
    }

    /// Elements of the weights.
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

    /// Whether each output channel reads one input channel, and no other does.
    #[inline]
    pub(super) const fn is_depthwise(&self) -> bool {
        self.group_channels() == 1 && self.group_filters() == 1
    }

    /// The same convolution of images that are already padded.
    #[must_use]
    pub const fn padded(self) -> Self {
        Self { input: self.border().around(self.input), padding: [[0; 2]; 2], ..self }
    }

    /// The same convolution of an image that is 1 high and `valid` wide: a sequence that ends early. The output is
    /// empty if the kernel does not fit.
    #[must_use]
    pub const fn of_steps(self, valid: usize) -> Self {
        // The pixels between the first and the last kernel element, both included.
        let extent = self.dilation[1] * (self.kernel[1] - 1) + 1;
        let [before, after] = self.padding[1];
        let map = StepMap::kernel(extent, self.stride[1], before + after);
        Self { input: [1, valid], output: [1, map.apply(valid)], ..self }
    }

    /// The lines of the input that these lines of the output meet.
    pub(super) fn lines_met(&self, lines: &Range<usize>) -> Range<usize> {
        let [above, _] = self.padding[0];
        let end = (lines.end - 1) * self.stride[0] + self.line_extent();
        let start = (lines.start * self.stride[0]).saturating_sub(above);
        start..end.saturating_sub(above).min(self.input[0])
    }

    /// The same convolution of the lines that these lines of the output meet.
    pub(super) fn of_lines(self, lines: &Range<usize>) -> Self {
        let met = self.lines_met(lines);
        let above = self.padding[0][0].saturating_sub(lines.start * self.stride[0]);
        let all = (lines.len() - 1) * self.stride[0] + self.line_extent();
        Self {
            input: [met.len(), self.input[1]],
            output: [lines.len(), self.output[1]],
            padding: [[above, all - above - met.len()], self.padding[1]],
            ..self
        }
    }

    /// Whether a line of the output may meet padding alone.
    #[cfg(feature = "std")]
    pub(super) fn has_lines_of_padding(&self) -> bool {
        self.padding[0].iter().any(|lines| *lines >= self.line_extent())
    }

    /// The multiply-adds of an image.
    #[cfg(feature = "std")]
    pub(super) fn macs(&self) -> u64 {
        let [h, w] = self.kernel;
        [self.output_len(), h, w, self.group_channels()].iter().map(|n| *n as u64).product()
    }

    /// Lines from the first to the last one that a line of the output meets.
    fn line_extent(&self) -> usize {
        self.dilation[0] * (self.kernel[0] - 1) + 1
    }

    /// The padding of an input image.
    #[must_use]
    pub const fn border(&self) -> Border {
        let [height, width] = self.padding;
        Border { before: [height[0], width[0]], after: [height[1], width[1]] }
    }

    /// Elements of an input image with its padding; 0 if it has none.
    #[must_use]
    pub const fn padded_len(&self) -> usize {
        self.border().len(self.input, self.channels)
    }

    /// Elements of memory that [`conv2d_d_weight`](super::conv2d_d_weight) needs while it runs.
    ///
    /// If each kernel element has few channels, the registers are better filled by all elements together, which meet
    /// the same pixels only in a padded image. (Depthwise convolutions have a kernel of their own.)
    #[must_use]
    pub const fn scratch_len(&self) -> usize {
        // Rows of the largest tile: channels of a kernel element are rows of the product.
        const FEW: usize = 8;
        if self.group_channels() < FEW && !self.is_depthwise() { self.padded_len() } else { 0 }
    }
}

/// The first of some weights: a kernel element and a channel.
#[derive(Clone, Copy, Debug)]
pub struct Taps {
    /// The index of the kernel element.
    pub tap: usize,
    /// The index of the first channel in its group.
    pub channel: usize,
}

/// Each size, or 1.
const fn at_least_1([height, width]: [usize; 2]) -> [usize; 2] {
    [if height > 0 { height } else { 1 }, if width > 0 { width } else { 1 }]
}
