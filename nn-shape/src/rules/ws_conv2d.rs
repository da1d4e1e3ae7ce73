//! `WSConv2d`: a `Conv2d` whose weights are standardised, for networks without normalisation.

use crate::arguments::Padding;
use crate::arguments::arguments;
use crate::error::ShapeError;
use crate::role::Role;
use crate::row::{Channels, Flow, Flows, Needs, Row, Size, Steps};
use crate::rules::conv2d::Conv2d;
use crate::rules::helpers::{attempt, eps};
use crate::rules::window::Window;
use crate::shape::Shape;
use crate::tensors::{LayerAxis, TensorSink};
use crate::text::Text;

arguments! {
    /// A convolution with weights `(w - mean) / sqrt(variance + eps) * gain / sqrt(count)`, where mean,
    /// variance and count are those of one output channel's weights.
    pub struct WSConv2d {
        /// The number of output channels.
        out_channels: Number,
        /// The size of the kernel.
        kernel: Pair,
        /// The stride.
        stride: Pair = [1, 1],
        /// The number of zeros added on each side of the input; `same` keeps height and width.
        padding: Padding = Padding::Explicit([0, 0]),
        /// The distance between elements of the kernel.
        dilation: Pair = [1, 1],
        /// The number of groups that input and output channels are split into; each output channel reads the
        /// input channels of its own group only.
        groups: Number = 1,
        /// Whether a bias is added.
        bias: Flag = true,
        /// A small number that keeps the divisor above 0.
        eps: Real = 1e-6,
    }
}

impl WSConv2d {
    /// `[H, W, C] -> [H', W', out_channels]`, as `Conv2d`.
    ///
    /// # Errors
    /// Those of `Conv2d`; when an output channel has one weight, or `eps` is not above 0.
    pub const fn output(&self, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        let output = attempt!(self.plain().output(inputs));
        attempt!(eps(self.eps));
        if self.kernel[0] * self.kernel[1] * self.group_channels(inputs[0]) == 1 {
            let message = Text::of("has one weight for each output channel, whose variance is 0");
            let help = Text::of("write a larger kernel, fewer groups, or `Conv2d`");
            return Err(ShapeError::argument("kernel", message).help(help));
        }
        Ok(output)
    }

    /// The number of trained parameters: those of a `Conv2d`, and a gain for each output channel.
    #[must_use]
    pub const fn params(&self, inputs: &[Shape]) -> usize {
        self.plain().params(inputs) + self.out_channels
    }

    /// The tensors of its weights in files.
    pub fn tensors(&self, inputs: &[Shape], sink: &mut TensorSink<'_>) {
        self.plain().tensors(inputs, sink);
        let (gains, one) = (LayerAxis::plain(self.out_channels, 1), LayerAxis::plain(1, 1));
        sink.floats("gain", self.plain().params(inputs), &[gains, one, one, one]);
    }

    /// Multiply-adds of one sample.
    #[must_use]
    pub const fn macs(&self, inputs: &[Shape]) -> usize {
        self.plain().macs(inputs)
    }

    /// How the output's height and width are computed.
    #[must_use]
    pub const fn how(&self, inputs: &[Shape]) -> Text {
        self.plain().how(inputs)
    }

    /// The window of the kernel.
    #[must_use]
    pub const fn window(&self) -> Window {
        self.plain().window()
    }

    /// The number of input channels of one group. The rule refuses 0 groups.
    #[must_use]
    pub const fn group_channels(&self, input: Shape) -> usize {
        self.plain().group_channels(input)
    }

    /// The same without standardised weights.
    const fn plain(&self) -> Conv2d {
        let Self { out_channels, kernel, stride, padding, dilation, groups, bias, .. } = *self;
        Conv2d { out_channels, kernel, stride, padding, dilation, groups, bias }
    }
}

/// The row of `WSConv2d`.
pub static ROW: Row = Row {
    name: "WSConv2d",
    stem: "ws_conv2d",
    summary: "convolution with standardised weights and a gain, for networks without normalisation",
    parameters: WSConv2d::PARAMETERS,
    positional: 2,
    rule: |inputs, values| WSConv2d::from_values(values).output(inputs),
    params: Some(|inputs, values| WSConv2d::from_values(values).params(inputs)),
    tensors: Some(|inputs, values, sink| WSConv2d::from_values(values).tensors(inputs, sink)),
    how: Some(|inputs, values| WSConv2d::from_values(values).how(inputs)),
    macs: Some(|inputs, values| WSConv2d::from_values(values).macs(inputs)),
    sizes: &[
        Size::Argument("out_channels"),
        Size::Computed("group_channels"),
        Size::ArgumentAxis("kernel", 0),
        Size::ArgumentAxis("kernel", 1),
        Size::Unless("bias"),
    ],
    computed: &[|inputs, values| WSConv2d::from_values(values).group_channels(inputs[0])],
    flows: Flows { leading: Flow::Compute, last: Flow::Argument("out_channels"), keeps_rank: true },
    needs: Needs::INPUT,
    steps: Steps::All,
    channels: Channels::First,
    role: Role::Convolution,
    ..Row::BASE
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Blame;
    use crate::error::testing::refusal;

    const fn of(out_channels: usize, kernel: usize, groups: usize) -> WSConv2d {
        WSConv2d {
            out_channels,
            kernel: [kernel; 2],
            stride: [1, 1],
            padding: Padding::Same,
            dilation: [1, 1],
            groups,
            bias: true,
            eps: 1e-6,
        }
    }

    #[test]
    fn is_a_convolution_with_a_gain() {
        const INPUT: Shape = Shape::new(&[8, 8, 16]);
        const OUTPUT: Shape = crate::error::expect(of(32, 3, 1).output(&[INPUT]), "conv", "");
        assert_eq!(OUTPUT, Shape::new(&[8, 8, 32]));
        assert_eq!(of(32, 3, 1).params(&[INPUT]), 32 * 16 * 9 + 2 * 32);
        assert_eq!(of(32, 3, 1).macs(&[INPUT]), 64 * 32 * 16 * 9);
    }

    #[test]
    fn refuses_a_single_weight() {
        let (blame, words) = refusal(of(16, 1, 16).output(&[Shape::new(&[8, 8, 16])]));
        assert_eq!(blame, Blame::Argument("kernel"));
        assert_eq!(
            words,
            "layer `it` has one weight for each output channel, whose variance is 0\n  \
             = help: write a larger kernel, fewer groups, or `Conv2d`"
        );
    }

    #[test]
    fn refuses_what_a_convolution_refuses() {
        let (blame, _) = refusal(of(32, 3, 5).output(&[Shape::new(&[8, 8, 16])]));
        assert_eq!(blame, Blame::Argument("groups"));
        let layer = WSConv2d { eps: 0.0, ..of(32, 3, 1) };
        let (blame, _) = refusal(layer.output(&[Shape::new(&[8, 8, 16])]));
        assert_eq!(blame, Blame::Argument("eps"));
    }
}
