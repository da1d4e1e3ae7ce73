//! [`Geometry`]: the sizes of a convolution.

use super::border::Border;
use core::ops::Range;
use unrolled_shape::rules::window::Window;
use unrolled_shape::{Shape, StepMap};

/// The sizes of a convolution; pairs are height and width.
///
/// Images are `[H, W, C]`, weights `[KH, KW, C / groups, F]`. Output channel `f` reads the input channels of its group,
/// `f / (F / groups)`. Volumes `[D, H, W, C]` consist of images, their planes, and their weights of those of planes.
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
    /// The sizes along the depth: of images [`Depth::FLAT`].
    pub depth: Depth,
}

/// The sizes of a convolution along the depth of volumes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Depth {
    /// Planes of the input.
    pub input: usize,
    /// Planes of the output.
    pub output: usize,
    /// Planes of the kernel.
    pub kernel: usize,
    /// Input planes from one output plane to the next.
    pub stride: usize,
    /// Planes of zeros before the first one of the input.
    pub before: usize,
    /// Input planes from one plane of the kernel to the next.
    pub dilation: usize,
}

impl Depth {
    /// That of an image: one plane.
    pub const FLAT: Self =
        Self { input: 1, output: 1, kernel: 1, stride: 1, before: 0, dilation: 1 };

    /// The output planes that meet plane `tap` of the kernel inside of the volume.
    pub(super) fn met(&self, tap: usize) -> Range<usize> {
        // Output plane `i` meets input plane `i * stride + tap * dilation - before`.
        let ahead = tap * self.dilation;
        let first = self.before.saturating_sub(ahead).div_ceil(self.stride);
        let end = (self.input + self.before).saturating_sub(ahead).div_ceil(self.stride);
        first..end.min(self.output).max(first)
    }

    /// The input plane that output plane `plane` meets in plane `tap` of the kernel; it is one that [`Self::met`] has.
    pub(super) const fn position(&self, plane: usize, tap: usize) -> usize {
        plane * self.stride + tap * self.dilation - self.before
    }
}

impl Geometry {
    /// The sizes of a convolution by `window`, from `input` to `output`. Steps are pixels of an image that is 1 high, an
    /// image is a volume that is 1 deep.
    ///
    /// Sizes of 0, which the shape rule refuses, count as 1, so that the compiler reports them there only.
    #[must_use]
    pub const fn new(window: Window, input: Shape, output: Shape, groups: usize) -> Self {
        let (input, output) = (window.as_volume(input), window.as_volume(output));
        let [kernel_depth, kernel_height, kernel_width] = window.kernel;
        let [forward, down, right] = window.stride;
        let [[before, _], height, width] = window.padding;
        Self {
            input: [at_least_1(input.dim(1)), at_least_1(input.dim(2))],
            channels: input.dim(3),
            output: [output.dim(1), output.dim(2)],
            filters: output.dim(3),
            kernel: [at_least_1(kernel_height), at_least_1(kernel_width)],
            stride: [at_least_1(down), at_least_1(right)],
            padding: [height, width],
            dilation: [window.dilation[1], window.dilation[2]],
            groups: at_least_1(groups),
            depth: Depth {
                input: at_least_1(input.dim(0)),
                output: output.dim(0),
                kernel: at_least_1(kernel_depth),
                stride: at_least_1(forward),
                before,
                dilation: window.dilation[0],
            },
        }
    }

    /// The sizes of the planes of volumes.
    pub(super) const fn planes(&self) -> Self {
        Self { depth: Depth::FLAT, ..*self }
    }

    /// Whether each plane of the output is computed from that plane of the input alone.
    #[inline]
    pub(super) const fn is_of_planes(&self) -> bool {
        let Depth { input, output, kernel, stride, before, .. } = self.depth;
        kernel == 1 && stride == 1 && before == 0 && input == output
    }

    /// Elements of one input image or volume.
    #[must_use]
    pub const fn input_len(&self) -> usize {
        self.depth.input * self.input[0] * self.input[1] * self.channels
    }

    /// Elements of one output image or volume.
    #[must_use]
    pub const fn output_len(&self) -> usize {
        self.depth.output * self.output[0] * self.output[1] * self.filters
    }

    /// Elements of the kernel.
    #[must_use]
    pub const fn taps(&self) -> usize {
        self.depth.kernel * self.kernel[0] * self.kernel[1]
    }

    /// Elements of the weights.
    #[must_use]
    pub const fn weight_len(&self) -> usize {
        self.taps() * self.group_channels() * self.filters
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
        [self.output_len(), self.taps(), self.group_channels()].iter().map(|n| *n as u64).product()
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

/// The size, or 1.
const fn at_least_1(size: usize) -> usize {
    if size > 0 { size } else { 1 }
}
