//! [`Window`]: how a kernel moves over a volume, an image or steps. Convolutions and pools share it.

use crate::arguments::{Padding, StepPadding, VolumePadding};
use crate::checks::MOST;
use crate::error::ShapeError;
use crate::rules::helpers::{attempt, counts, with_axis};
use crate::rules::recurrent::sequence;
use crate::shape::Shape;
use crate::steps::StepMap;
use crate::tensors::{LayerAxis, TensorSink};
use crate::text::Text;

/// The axes that a kernel moves over: the last of depth, height and width.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Over {
    /// Depth, height and width: `[D, H, W, C]`.
    Volumes,
    /// Height and width: `[H, W, C]`, a volume of depth 1.
    Images,
    /// Steps: `[T, C]`, as the width of an image of height 1.
    Steps,
}

impl Over {
    /// The first of depth (0), height (1) and width (2) that inputs have.
    const fn first(self) -> usize {
        match self {
            Self::Volumes => 0,
            Self::Images => 1,
            Self::Steps => 2,
        }
    }

    /// Accepts an input that has these axes and channels.
    pub(crate) const fn check(self, input: Shape) -> Result<(), ShapeError> {
        match self {
            Self::Volumes => volume(input),
            Self::Images => match image(input) {
                Ok(_) => Ok(()),
                Err(error) => Err(error),
            },
            Self::Steps => sequence(input),
        }
    }

    /// The shape of an output of this depth, height and width; a sequence has its steps as width.
    pub(crate) const fn shape(self, size: [usize; 3], channels: usize) -> Shape {
        let all = Shape::new(&[size[0], size[1], size[2], channels]);
        Shape::new(all.dims().split_at(self.first()).1)
    }
}

/// A kernel that moves over depth (axis 0), height (axis 1) and width (axis 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// The axes that it moves over. Its size along the others is 1.
    pub over: Over,
    /// Its size.
    pub kernel: [usize; 3],
    /// The stride.
    pub stride: [usize; 3],
    /// The zeros added before the first and after the last element of each axis.
    pub padding: [[usize; 2]; 3],
    /// How many of the zeros after the last element no average counts, because `ceil_mode` added them.
    pub uncounted: [usize; 3],
    /// The distance between elements of the kernel.
    pub dilation: [usize; 3],
}

pub(crate) const NOUN: [&str; 3] = ["depth", "height", "width"];
const ADJECTIVE: [&str; 3] = ["deep", "high", "wide"];

impl Window {
    /// A window without padding.
    #[must_use]
    pub const fn without_padding(
        over: Over,
        kernel: [usize; 3],
        stride: [usize; 3],
        dilation: [usize; 3],
    ) -> Self {
        Self { over, kernel, stride, padding: [[0; 2]; 3], uncounted: [0; 3], dilation }
    }

    /// A window of these arguments over volumes like `input`, on whose size `same` depends.
    #[must_use]
    pub(crate) const fn over_volumes(
        kernel: [usize; 3],
        stride: [usize; 3],
        padding: VolumePadding,
        dilation: [usize; 3],
        input: Shape,
    ) -> Self {
        let mut window = Self::without_padding(Over::Volumes, kernel, stride, dilation);
        window.padding = match padding {
            VolumePadding::Explicit([depth, height, width]) => {
                [[depth; 2], [height; 2], [width; 2]]
            }
            VolumePadding::Sides([front, back, top, bottom, left, right]) => {
                [[front, back], [top, bottom], [left, right]]
            }
            VolumePadding::Same => {
                [window.same(0, input), window.same(1, input), window.same(2, input)]
            }
        };
        window
    }

    /// A window of these arguments over images like `input`, on whose size `same` depends.
    #[must_use]
    pub(crate) const fn over_images(
        [kernel_height, kernel_width]: [usize; 2],
        [down, right]: [usize; 2],
        padding: Padding,
        dilation: [usize; 2],
        input: Shape,
    ) -> Self {
        // An image is a volume of depth 1.
        let kernel = [1, kernel_height, kernel_width];
        let (stride, dilation) = ([1, down, right], [1, dilation[0], dilation[1]]);
        let mut window = Self::without_padding(Over::Images, kernel, stride, dilation);
        let [height, width] = match padding {
            Padding::Explicit([height, width]) => [[height; 2], [width; 2]],
            Padding::Sides([top, bottom, left, right]) => [[top, bottom], [left, right]],
            Padding::Same => [window.same(1, input), window.same(2, input)],
        };
        window.padding = [[0; 2], height, width];
        window
    }

    /// A window of these arguments over steps like `input`, on whose number `same` depends.
    #[must_use]
    pub(crate) const fn over_steps(
        kernel: usize,
        stride: usize,
        padding: StepPadding,
        dilation: usize,
        input: Shape,
    ) -> Self {
        // A sequence is an image of height 1.
        let (kernel, stride, dilation) = ([1, 1, kernel], [1, 1, stride], [1, 1, dilation]);
        let mut window = Self::without_padding(Over::Steps, kernel, stride, dilation);
        window.padding[2] = match padding {
            StepPadding::Explicit(both) => [both; 2],
            StepPadding::Sides(sides) => sides,
            StepPadding::Same => window.same(2, input),
            StepPadding::Causal => [window.extent(2).saturating_sub(1), 0],
        };
        window
    }

    /// The zeros of `same` along `axis`: as many as the last of `size/stride`, rounded up, windows needs.
    const fn same(&self, axis: usize, input: Shape) -> [usize; 2] {
        let (stride, of) = (self.stride[axis], axis - self.over.first());
        // Of other shapes, and with a stride of 0, which the rule refuses, there is nothing to compute.
        let after_last = if stride == 0 || of >= input.rank() || input.dim(of) == 0 {
            1
        } else {
            // The elements of the input that the last window has from its first one on.
            (input.dim(of) - 1) % stride + 1
        };
        let all = self.extent(axis).saturating_sub(after_last);
        [all / 2, all - all / 2]
    }

    /// The window of a pool with `ceil_mode`: the last window may begin in the input, or in the padding before it, and
    /// end after the padding after it.
    #[must_use]
    pub(crate) const fn rounded_up(mut self) -> Self {
        let mut axis = 0;
        while axis < 3 {
            // With `stride - 1` more zeros, rounding down gives what rounding up does without them. With more zeros
            // than the kernel's other elements, a window could begin after the input.
            let most = self.extent(axis).saturating_sub(1);
            let [_, after] = self.padding[axis];
            let all = after.saturating_add(self.stride[axis].saturating_sub(1));
            let all = if all < most { all } else { most };
            self.uncounted[axis] = all.saturating_sub(after);
            self.padding[axis][1] = after + self.uncounted[axis];
            axis += 1;
        }
        self
    }

    /// The zeros before and after that the arguments ask for: without those of `ceil_mode`.
    const fn given_padding(&self, axis: usize) -> [usize; 2] {
        let [before, after] = self.padding[axis];
        [before, after - self.uncounted[axis]]
    }

    /// The input as depth, height, width and channels.
    #[must_use]
    pub const fn as_volume(&self, shape: Shape) -> Shape {
        match self.over {
            Over::Volumes => shape,
            Over::Images => Shape::new(&[1, shape.dim(0), shape.dim(1), shape.dim(2)]),
            Over::Steps => Shape::new(&[1, 1, shape.dim(0), shape.dim(1)]),
        }
    }

    /// Whether windows tile the input: they neither overlap nor leave gaps nor cover padding.
    #[must_use]
    pub(crate) const fn tiles(&self) -> bool {
        let mut axis = 0;
        while axis < 3 {
            let [before, after] = self.padding[axis];
            let dense = self.dilation[axis] == 1 || self.kernel[axis] == 1;
            if self.stride[axis] != self.kernel[axis] || before + after > 0 || !dense {
                return false;
            }
            axis += 1;
        }
        true
    }

    /// An argument as messages show it: a number per axis that inputs have.
    pub(crate) const fn shown<'a>(&self, axes: &'a [usize; 3]) -> &'a [usize] {
        axes.split_at(self.over.first()).1
    }

    pub(crate) const fn adjective(&self, axis: usize) -> &'static str {
        match self.over {
            Over::Volumes | Over::Images => ADJECTIVE[axis],
            Over::Steps => "long",
        }
    }

    /// The number of elements of the kernel.
    #[must_use]
    pub(crate) const fn taps(&self) -> usize {
        self.kernel[0] * self.kernel[1] * self.kernel[2]
    }

    /// The tensor of a kernel `[K, b, a]` in files: PyTorch's is `[a, b, K]`.
    pub(crate) fn weight(&self, [a, b]: [usize; 2], sink: &mut TensorSink<'_>) {
        let [depth, height, width] = self.kernel;
        let (outer, inner) = (LayerAxis::plain(a, 1), LayerAxis::plain(b, a));
        let planes = LayerAxis::plain(depth, height * width * a * b);
        let rows = LayerAxis::plain(height, width * a * b);
        let columns = LayerAxis::plain(width, a * b);
        match self.over {
            Over::Volumes => sink.floats("weight", 0, &[outer, inner, planes, rows, columns]),
            Over::Images => sink.floats("weight", 0, &[outer, inner, rows, columns]),
            Over::Steps => sink.floats("weight", 0, &[outer, inner, columns]),
        }
    }

    /// How many elements of the input it spans, from its first to its last.
    #[must_use]
    pub const fn extent(&self, axis: usize) -> usize {
        self.dilation[axis].saturating_mul(self.kernel[axis].saturating_sub(1)).saturating_add(1)
    }

    /// How the number of steps of a sequence changes, which is treated as an image of height 1.
    #[must_use]
    pub const fn step_map(&self) -> StepMap {
        let [before, after] = self.padding[2];
        StepMap::kernel(self.extent(2), self.stride[2], before.saturating_add(after))
    }

    /// How many steps it makes over an input of `size` along `axis`; `None` where it does not fit.
    const fn steps(&self, axis: usize, size: usize) -> Option<usize> {
        match self.padded(axis, size).checked_sub(self.extent(axis)) {
            Some(rest) => Some(rest / self.stride[axis] + 1),
            None => None,
        }
    }

    const fn padded(&self, axis: usize, size: usize) -> usize {
        size.saturating_add(self.padding[axis][0]).saturating_add(self.padding[axis][1])
    }

    /// `[D, H, W, C] -> [D', H', W', C]`, without the axes that inputs do not have.
    ///
    /// # Errors
    /// When the input has another rank or is smaller than the kernel, or an argument is 0.
    pub(crate) const fn output(&self, input: Shape) -> Result<Shape, ShapeError> {
        attempt!(self.over.check(input));
        let input = self.as_volume(input);
        attempt!(counts("kernel", "kernel", self.shown(&self.kernel)));
        attempt!(counts("stride", "stride", self.shown(&self.stride)));
        attempt!(counts("dilation", "dilation", self.shown(&self.dilation)));
        attempt!(self.check_padding());
        let mut size = [0; 3];
        let mut axis = 0;
        while axis < 3 {
            size[axis] = attempt!(self.output_axis(axis, input));
            axis += 1;
        }
        Ok(self.over.shape(size, input.last()))
    }

    /// Refuses paddings that would overflow.
    const fn check_padding(&self) -> Result<(), ShapeError> {
        let most = self.largest_padding();
        if most[0] <= MOST && most[1] <= MOST && most[2] <= MOST {
            return Ok(());
        }
        let message = Text::of("has a padding of ").axes(self.shown(&most));
        let message = message.text(", but can have at most ").number(MOST);
        Err(ShapeError::argument("padding", message))
    }

    /// The larger one of the paddings that the arguments ask for, for each axis.
    const fn largest_padding(&self) -> [usize; 3] {
        [
            larger(self.given_padding(0)),
            larger(self.given_padding(1)),
            larger(self.given_padding(2)),
        ]
    }

    const fn output_axis(&self, axis: usize, input: Shape) -> Result<usize, ShapeError> {
        match self.steps(axis, input.dim(axis)) {
            Some(steps) => Ok(steps),
            None => Err(self.too_large(axis, input)),
        }
    }

    /// The kernel is larger than the input.
    const fn too_large(&self, axis: usize, input: Shape) -> ShapeError {
        let size = input.dim(axis);
        let extent = self.extent(axis);
        let mut message = Text::of("has a kernel of ").axes(self.shown(&self.kernel));
        if self.dilation[axis] > 1 {
            message = message.text(" with a dilation of ").axes(self.shown(&self.dilation));
            message = message.text(", which spans ").number(extent);
        }
        message = message.text(", but its input is only ").number(size).text(" ");
        message = message.text(self.adjective(axis));
        let padded = self.padded(axis, size);
        if padded > size {
            message = message.text(" (").number(padded).text(" with padding)");
        }
        let how = self.formula(Text::new(), axis, size).text(" is less than 1");
        ShapeError::argument("kernel", message).how(how).help(self.fitting(axis, input))
    }

    /// The help: what would make the kernel fit.
    const fn fitting(&self, axis: usize, input: Shape) -> Text {
        if let Some(last) = self.channels_last(input) {
            return Text::of("channels come last here: write `").shape(last).text("`");
        }
        let size = input.dim(axis);
        let padded = self.padded(axis, size);
        let help = if padded > 1 {
            let largest = (padded - 1) / self.dilation[axis] + 1;
            Text::of("a kernel of at most ").number(largest).text(" fits")
        } else {
            Text::of("leave out this layer or an earlier one that shrinks its input")
        };
        if self.dilation[axis] > 1 {
            return help.text(", or a smaller dilation");
        }
        // The kernel is larger than the padded input, and so than the input.
        let padding = (self.kernel[axis] - size).div_ceil(2);
        help.text(", or write `padding = ").number(padding).text("`")
    }

    /// The input with channels last, if it looks as if it was written as other libraries do: `1x28x28`.
    const fn channels_last(&self, input: Shape) -> Option<Shape> {
        let first = self.over.first();
        let (channels, rows, columns) = (input.dim(first), input.dim(2), input.dim(3));
        let is_first = (channels == 1 || channels == 3) && rows > channels && rows == columns;
        match self.over {
            Over::Volumes if is_first => Some(Shape::new(&[input.dim(1), rows, columns, channels])),
            Over::Images if is_first => Some(Shape::new(&[rows, columns, channels])),
            _ => None,
        }
    }

    /// How the output's axes are computed: `(28 + 2*0 - 3)/1 + 1 = 26`, once where all are alike.
    #[must_use]
    pub(crate) const fn how(&self, input: Shape) -> Text {
        let (first, input) = (self.over.first(), self.as_volume(input));
        if self.axes_are_alike(input) {
            return self.how_axis(Text::new(), first, input.dim(first));
        }
        let mut text = Text::new();
        let mut axis = first;
        while axis < 3 {
            text = if axis > first { text.text(", ") } else { text }.text(NOUN[axis]).text(" ");
            text = self.how_axis(text, axis, input.dim(axis));
            axis += 1;
        }
        text
    }

    /// Whether the window moves in the same way over all axes of a volume.
    const fn axes_are_alike(&self, input: Shape) -> bool {
        let first = self.over.first();
        let mut axis = first + 1;
        while axis < 3 {
            let alike = input.dim(axis) == input.dim(first)
                && self.kernel[axis] == self.kernel[first]
                && self.stride[axis] == self.stride[first]
                && self.padding[axis][0] == self.padding[first][0]
                && self.padding[axis][1] == self.padding[first][1]
                && self.dilation[axis] == self.dilation[first];
            if !alike {
                return false;
            }
            axis += 1;
        }
        true
    }

    const fn how_axis(&self, text: Text, axis: usize, size: usize) -> Text {
        let Some(steps) = self.steps(axis, size) else {
            return text;
        };
        let text = self.formula(text, axis, size).text(" = ").number(steps);
        let rest = self.padded(axis, size) - self.extent(axis);
        if rest.is_multiple_of(self.stride[axis]) { text } else { text.text(", rounded down") }
    }

    /// `(28 + 2*0 - 3)/1 + 1`
    const fn formula(&self, text: Text, axis: usize, size: usize) -> Text {
        let [before, after] = self.padding[axis];
        let text = text.text("(").number(size).text(" + ");
        let text = if before == after {
            text.text("2*").number(before)
        } else {
            text.number(before).text(" + ").number(after)
        };
        let text = text.text(" - ");
        let text = if self.dilation[axis] == 1 {
            text.number(self.kernel[axis])
        } else {
            let text = text.number(self.dilation[axis]).text("*(").number(self.kernel[axis]);
            text.text(" - 1) - 1")
        };
        text.text(")/").number(self.stride[axis]).text(" + 1")
    }
}

/// The shape, if it has height, width and channels.
pub(crate) const fn image(input: Shape) -> Result<Shape, ShapeError> {
    if input.rank() == 3 {
        return Ok(input);
    }
    let message = Text::of("takes height x width x channels, but gets ").shape(input);
    let error = ShapeError::layer(message);
    Err(match input.rank() {
        1 => error.help(Text::of(
            "put it before `Flatten`, or write `Reshape(HxWxC)` with your height, width and channels before it",
        )),
        2 => {
            let help = Text::of("add the number of channels: write `").shape(input);
            error.help(help.text("x1` for one channel"))
        }
        4 => {
            let sample = Shape::new(&[input.dim(1), input.dim(2), input.dim(3)]);
            let help = Text::of("samples have no batch axis: write `").shape(sample);
            let help = help.text("` in the header; for the images of a sequence, write `PerStep { .. }` around it");
            error.help(help)
        }
        _ => error,
    })
}

/// Accepts a shape that has depth, height, width and channels.
const fn volume(input: Shape) -> Result<(), ShapeError> {
    if input.rank() == 4 {
        return Ok(());
    }
    let message = Text::of("takes depth x height x width x channels, but gets ").shape(input);
    let error = ShapeError::layer(message);
    Err(match input.rank() {
        1 => error.help(Text::of(
            "put it before `Flatten`, or write `Reshape(DxHxWxC)` with your depth, height, width and channels before it",
        )),
        3 => {
            // The number of channels of an image.
            let is_image = input.last() <= 4;
            let help = if is_image {
                let help = Text::of("write `1x").shape(input).text("` for a volume of depth 1");
                help.text(", or use a layer over height and width")
            } else {
                let help = Text::of("add the number of channels: write `").shape(input);
                help.text("x1` for one channel")
            };
            error.help(help)
        }
        5 => {
            let sample =
                Shape::new(&[input.dim(1), input.dim(2), input.dim(3), input.dim(4)]);
            let help = Text::of("samples have no batch axis: write `").shape(sample);
            error.help(help.text("` in the header"))
        }
        _ => error,
    })
}

/// The output of an adaptive pool, which is no larger than its input. `size` is that of the axes which inputs have.
pub(crate) const fn adaptive_pool(
    over: Over,
    size: &[usize],
    input: Shape,
) -> Result<Shape, ShapeError> {
    attempt!(over.check(input));
    attempt!(counts("size", "size", size));
    let (mut output, mut fits, mut axis) = (input, true, 0);
    while axis < size.len() {
        fits = fits && size[axis] <= input.dim(axis);
        output = with_axis(output, axis, size[axis]);
        axis += 1;
    }
    if fits {
        return Ok(output);
    }
    let message = Text::of("gives ").shape(output).text(", which is larger than its input ");
    let largest = Shape::new(input.dims().split_at(size.len()).0);
    let help = Text::of("pool to at most ").shape(largest);
    Err(ShapeError::argument("size", message.shape(input)).help(help))
}

/// The rule of pools: that of a window; in addition each window covers at least one element of the input, not padding only.
/// Padding whose numbers are given is at most half the kernel, as in PyTorch.
pub(crate) const fn pool(
    window: &Window,
    padding_is_given: bool,
    input: Shape,
) -> Result<Shape, ShapeError> {
    let output = attempt!(window.output(input));
    let input = window.as_volume(input);
    let mut axis = 0;
    while axis < 3 {
        let [before, after] = window.given_padding(axis);
        let padding = larger([before, after]);
        let most = window.kernel[axis] / 2;
        if padding_is_given && padding > most {
            let mut message = Text::of("has a padding of ");
            message = if before == after {
                message.axes(window.shown(&window.largest_padding()))
            } else {
                message.number(padding).text(" on one side")
            };
            let message = message.text(", but a kernel of ");
            let message =
                message.axes(window.shown(&window.kernel)).text(" allows at most ").number(most);
            let help = Text::of("pad at most half the kernel, as in PyTorch");
            return Err(ShapeError::argument("padding", message).help(help));
        }
        let dilation = window.dilation[axis];
        let size = input.dim(axis);
        // With padding on both sides, an element of a window may lie before the input and the next one after it.
        if before > 0 && window.padding[axis][1] > 0 && dilation > size {
            let message = Text::of("has a dilation of ").axes(window.shown(&window.dilation));
            let message = message.text(", but its input is only ").number(size).text(" ");
            let message = message.text(window.adjective(axis));
            let help = Text::of("use a dilation of at most ").number(size);
            let help = help.text(", so that no window covers padding only");
            return Err(ShapeError::argument("dilation", message).help(help));
        }
        axis += 1;
    }
    Ok(output)
}

const fn larger([a, b]: [usize; 2]) -> usize {
    if a > b { a } else { b }
}

/// The largest number that divides both; the other one where one is 0.
#[must_use]
pub(crate) const fn common_divisor(mut a: usize, mut b: usize) -> usize {
    while b > 0 {
        (a, b) = (b, a % b);
    }
    a
}
