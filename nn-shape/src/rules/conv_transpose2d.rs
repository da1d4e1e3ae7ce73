//! `ConvTranspose2d`: PyTorch's `nn.ConvTranspose2d`, channels last.

use crate::arguments::Padding;
use crate::arguments::arguments;
use crate::checks::{MOST, at_most};
use crate::error::ShapeError;
use crate::role::Role;
use crate::row::{Channels, Flow, Flows, Needs, Row, Size, Steps};
use crate::rules::convolution::Convolution;
use crate::rules::helpers::{attempt, count, counts, few_enough_weights};
use crate::rules::window::{Window, image};
use crate::shape::Shape;
use crate::tensors::{LayerAxis, TensorSink};
use crate::text::Text;

arguments! {
    /// A transposed convolution: each element of the input is multiplied by the kernel and added to the output.
    /// It is the gradient of a `Conv2d` of the same arguments, whose output size becomes its input size.
    pub struct ConvTranspose2d {
        /// The number of output channels.
        out_channels: Number,
        /// The size of the kernel.
        kernel: Pair,
        /// The distance in the output from one element of the input to the next.
        stride: Pair = [1, 1],
        /// How much is removed from the output on both sides.
        padding: Pair = [0, 0],
        /// How much is added to the output at the bottom and on the right. A `Conv2d` with a stride has the same
        /// output size for several input sizes; this selects one of them.
        output_padding: Pair = [0, 0],
        /// The distance between elements of the kernel.
        dilation: Pair = [1, 1],
        /// The number of groups that input and output channels are split into; each output channel reads the
        /// input channels of its own group only.
        groups: Number = 1,
        /// Whether a bias is added.
        bias: Flag = true,
    }
}

const NOUN: [&str; 2] = ["height", "width"];
const ADJECTIVE: [&str; 2] = ["high", "wide"];

impl ConvTranspose2d {
    /// `[H, W, C] -> [H', W', out_channels]` with
    /// `H' = (H - 1)*stride + dilation*(kernel - 1) + 1 - 2*padding + output_padding`.
    ///
    /// # Errors
    /// When the input has another rank, the padding leaves nothing, the output padding is as large as
    /// stride and dilation, the groups do not divide the channels, an argument is 0, or sizes are too large.
    pub const fn output(&self, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        let input = inputs[0];
        attempt!(count("out_channels", "output channels", self.out_channels));
        attempt!(count("groups", "groups", self.groups));
        attempt!(image(input));
        attempt!(counts("kernel", "kernel", self.kernel));
        attempt!(counts("stride", "stride", self.stride));
        attempt!(counts("dilation", "dilation", self.dilation));
        let height = attempt!(self.output_axis(0, input));
        let width = attempt!(self.output_axis(1, input));
        attempt!(self.convolution().check_groups(input.last()));
        let factors = [input.last(), self.group_filters(input), self.kernel[0], self.kernel[1]];
        attempt!(few_enough_weights("out_channels", &factors));
        at_most(Shape::new(&[height, width, self.out_channels]), "gives ")
    }

    /// The number of trained parameters: a kernel for each input channel and output channel of its
    /// group, a bias for each output channel.
    #[must_use]
    pub const fn params(&self, inputs: &[Shape]) -> usize {
        let kernels = inputs[0].last() * self.group_filters(inputs[0]);
        kernels * self.kernel[0] * self.kernel[1] + if self.bias { self.out_channels } else { 0 }
    }

    /// The tensors of its weights in files.
    pub fn tensors(&self, inputs: &[Shape], sink: &mut TensorSink<'_>) {
        let (channels, filters) = (inputs[0].last(), self.group_filters(inputs[0]));
        let [height, width] = self.kernel;
        let axes = [
            LayerAxis::plain(channels, 1),
            LayerAxis::plain(filters, channels),
            LayerAxis::plain(height, width * filters * channels),
            LayerAxis::plain(width, filters * channels),
        ];
        sink.floats("weight", 0, &axes);
        if self.bias {
            let bias = [LayerAxis::plain(self.out_channels, 1)];
            sink.floats("bias", height * width * filters * channels, &bias);
        }
    }

    /// Multiply-adds of one sample.
    #[must_use]
    pub const fn macs(&self, inputs: &[Shape]) -> usize {
        let kernel = self.group_filters(inputs[0]) * self.kernel[0] * self.kernel[1];
        inputs[0].len().saturating_mul(kernel)
    }

    /// How the output's height and width are computed.
    #[must_use]
    pub const fn how(&self, inputs: &[Shape]) -> Text {
        let input = inputs[0];
        let alike = input.dim(0) == input.dim(1)
            && self.kernel[0] == self.kernel[1]
            && self.stride[0] == self.stride[1]
            && self.padding[0] == self.padding[1]
            && self.output_padding[0] == self.output_padding[1]
            && self.dilation[0] == self.dilation[1];
        if alike {
            return self.how_axis(Text::new(), 0, input);
        }
        let text = Text::of(NOUN[0]).text(" ");
        let text = self.how_axis(text, 0, input).text(", ").text(NOUN[1]).text(" ");
        self.how_axis(text, 1, input)
    }

    /// The number of output channels of one group. The rule refuses 0 groups.
    #[must_use]
    pub const fn group_filters(&self, _input: Shape) -> usize {
        // `Size::Computed` passes the input. 0 groups are refused by the rule: here they must not panic as well.
        self.out_channels / if self.groups > 0 { self.groups } else { 1 }
    }

    /// The window of the kernel in the output.
    #[must_use]
    pub const fn window(&self) -> Window {
        Window::new(self.kernel, self.stride, Padding::Explicit(self.padding), self.dilation)
    }

    const fn convolution(&self) -> Convolution {
        Convolution {
            out_channels: self.out_channels,
            groups: self.groups,
            bias: self.bias,
            window: self.window(),
            same: false,
        }
    }

    /// The output's size before the padding is removed.
    const fn whole(&self, axis: usize, input: Shape) -> usize {
        let steps = (input.dim(axis).saturating_sub(1)).saturating_mul(self.stride[axis]);
        let all = steps.saturating_add(self.window().extent(axis));
        all.saturating_add(self.output_padding[axis])
    }

    const fn output_axis(&self, axis: usize, input: Shape) -> Result<usize, ShapeError> {
        let (stride, dilation) = (self.stride[axis], self.dilation[axis]);
        // The limit of PyTorch.
        let largest = if stride > dilation { stride } else { dilation };
        if self.output_padding[axis] >= largest {
            let message = Text::of("has an output padding of ").pair(self.output_padding);
            let message = message.text(", but with a stride of ").pair(self.stride);
            let message = if dilation > stride {
                message.text(" and a dilation of ").pair(self.dilation)
            } else {
                message
            };
            let message = message.text(" it can be at most ").number(largest - 1);
            return Err(ShapeError::argument("output_padding", message));
        }
        let (whole, padding) = (self.whole(axis, input), self.padding[axis]);
        if whole > MOST {
            let message = Text::of("gives more than ").number(MOST).text(" elements");
            return Err(ShapeError::layer(message));
        }
        match whole.checked_sub(padding.saturating_mul(2)) {
            Some(size) if size > 0 => Ok(size),
            _ => {
                let message = Text::of("has a padding of ").pair(self.padding);
                let message = message.text(" and takes off all of its output, which is ");
                let message = message.number(whole).text(" ").text(ADJECTIVE[axis]);
                let help = Text::of("a padding of at most ").number((whole - 1) / 2).text(" fits");
                Err(ShapeError::argument("padding", message).help(help))
            }
        }
    }

    /// `(7 - 1)*2 + 3 - 2*1 + 1 = 14`
    const fn how_axis(&self, text: Text, axis: usize, input: Shape) -> Text {
        let text = text.text("(").number(input.dim(axis)).text(" - 1)*").number(self.stride[axis]);
        let text = text.text(" + ");
        let text = if self.dilation[axis] == 1 {
            text.number(self.kernel[axis])
        } else {
            let text = text.number(self.dilation[axis]).text("*(").number(self.kernel[axis]);
            text.text(" - 1) + 1")
        };
        let text = text.text(" - 2*").number(self.padding[axis]);
        let text = if self.output_padding[axis] > 0 {
            text.text(" + ").number(self.output_padding[axis])
        } else {
            text
        };
        match self.output_axis(axis, input) {
            Ok(size) => text.text(" = ").number(size),
            Err(_) => text,
        }
    }
}

/// The row of `ConvTranspose2d`.
pub static ROW: Row = Row {
    name: "ConvTranspose2d",
    stem: "conv_transpose2d",
    summary: "transposed 2D convolution over height and width",
    parameters: ConvTranspose2d::PARAMETERS,
    positional: 2,
    rule: |inputs, values| ConvTranspose2d::from_values(values).output(inputs),
    params: Some(|inputs, values| ConvTranspose2d::from_values(values).params(inputs)),
    tensors: Some(|inputs, values, sink| {
        ConvTranspose2d::from_values(values).tensors(inputs, sink)
    }),
    how: Some(|inputs, values| ConvTranspose2d::from_values(values).how(inputs)),
    macs: Some(|inputs, values| ConvTranspose2d::from_values(values).macs(inputs)),
    sizes: &[
        Size::Argument("out_channels"),
        Size::InputLast,
        Size::Computed("group_filters"),
        Size::ArgumentAxis("kernel", 0),
        Size::ArgumentAxis("kernel", 1),
        Size::Unless("bias"),
    ],
    computed: &[|inputs, values| ConvTranspose2d::from_values(values).group_filters(inputs[0])],
    flows: Flows { leading: Flow::Compute, last: Flow::Argument("out_channels"), keeps_rank: true },
    needs: Needs::INPUT,
    steps: Steps::All,
    channels: Channels::First,
    role: Role::TransposedConvolution,
    ..Row::BASE
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Blame;
    use crate::error::testing::refusal;

    const fn of(out_channels: usize, kernel: usize) -> ConvTranspose2d {
        ConvTranspose2d {
            out_channels,
            kernel: [kernel; 2],
            stride: [1, 1],
            padding: [0, 0],
            output_padding: [0, 0],
            dilation: [1, 1],
            groups: 1,
            bias: true,
        }
    }

    const IMAGE: Shape = Shape::new(&[7, 7, 16]);

    #[test]
    fn grows_by_its_kernel_and_stride() {
        const LAYER: ConvTranspose2d = ConvTranspose2d { stride: [2, 2], ..of(8, 2) };
        const OUTPUT: Shape = crate::error::expect(LAYER.output(&[IMAGE]), "up", "");
        assert_eq!(OUTPUT, Shape::new(&[14, 14, 8]));
        assert_eq!(LAYER.how(&[IMAGE]).as_str(), "(7 - 1)*2 + 2 - 2*0 = 14");
        assert_eq!(LAYER.params(&[IMAGE]), 16 * 8 * 4 + 8);
        assert_eq!(LAYER.macs(&[IMAGE]), 7 * 7 * 16 * 8 * 4);
        assert_eq!(of(8, 3).output(&[IMAGE]).unwrap(), Shape::new(&[9, 9, 8]));
    }

    #[test]
    fn follows_all_arguments() {
        let layer = ConvTranspose2d {
            kernel: [3, 2],
            stride: [2, 3],
            padding: [1, 0],
            output_padding: [1, 2],
            dilation: [2, 1],
            groups: 4,
            bias: false,
            ..of(8, 1)
        };
        // 6*2 + 4 + 1 - 2 + 1, 6*3 + 2 + 2.
        assert_eq!(layer.output(&[IMAGE]).unwrap(), Shape::new(&[16, 22, 8]));
        assert_eq!(
            layer.how(&[IMAGE]).as_str(),
            "height (7 - 1)*2 + 2*(3 - 1) + 1 - 2*1 + 1 = 16, width (7 - 1)*3 + 2 - 2*0 + 2 = 22"
        );
        assert_eq!(layer.params(&[IMAGE]), 16 * 2 * 6);
    }

    #[test]
    fn refuses_a_large_output_padding() {
        let layer = ConvTranspose2d { output_padding: [2, 2], stride: [2, 2], ..of(8, 3) };
        let (blame, words) = refusal(layer.output(&[IMAGE]));
        assert_eq!(blame, Blame::Argument("output_padding"));
        assert_eq!(
            words,
            "layer `it` has an output padding of 2, but with a stride of 2 it can be at most 1"
        );
    }

    #[test]
    fn refuses_a_padding_that_leaves_nothing() {
        let layer = ConvTranspose2d { padding: [5, 5], ..of(8, 3) };
        let (blame, words) = refusal(layer.output(&[IMAGE]));
        assert_eq!(blame, Blame::Argument("padding"));
        assert_eq!(
            words,
            "layer `it` has a padding of 5 and takes off all of its output, which is 9 high\n  \
             = help: a padding of at most 4 fits"
        );
    }

    #[test]
    fn refuses_what_other_convolutions_refuse() {
        let (blame, _) = refusal(ConvTranspose2d { groups: 3, ..of(9, 3) }.output(&[IMAGE]));
        assert_eq!(blame, Blame::Argument("groups"));
        let (blame, _) = refusal(of(0, 3).output(&[IMAGE]));
        assert_eq!(blame, Blame::Argument("out_channels"));
        let (blame, _) = refusal(of(8, 3).output(&[Shape::new(&[49])]));
        assert_eq!(blame, Blame::Layer);
        for layer in [
            ConvTranspose2d { stride: [usize::MAX; 2], ..of(8, 3) },
            ConvTranspose2d { padding: [usize::MAX; 2], ..of(8, 3) },
            of(8, usize::MAX),
        ] {
            assert!(layer.output(&[IMAGE]).is_err());
        }
    }
}
