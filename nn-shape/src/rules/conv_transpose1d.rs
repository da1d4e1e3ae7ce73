//! `ConvTranspose1d`: PyTorch's `nn.ConvTranspose1d`, channels last.

use crate::arguments::arguments;
use crate::error::ShapeError;
use crate::role::Role;
use crate::row::{Channels, Flow, Flows, Needs, Row, Size, Steps};
use crate::rules::transposed::Transposed;
use crate::rules::window::{Over, Window};
use crate::shape::Shape;
use crate::tensors::TensorSink;
use crate::text::Text;

arguments! {
    /// A transposed convolution: each step of the input is multiplied by the kernel and added to the output.
    /// It is the gradient of a `Conv1d` of the same arguments, whose output size becomes its input size.
    pub struct ConvTranspose1d {
        /// The number of output channels.
        out_channels: Number,
        /// The size of the kernel.
        kernel: Number,
        /// The distance in the output from one step of the input to the next.
        stride: Number = 1,
        /// How many steps are removed from the output on both sides.
        padding: Number = 0,
        /// How many steps are added to the output at the end. A `Conv1d` with a stride has the same output size for
        /// several input sizes; this selects one of them.
        output_padding: Number = 0,
        /// The distance between elements of the kernel.
        dilation: Number = 1,
        /// The number of groups that input and output channels are split into; each output channel reads the
        /// input channels of its own group only.
        groups: Number = 1,
        /// Whether a bias is added.
        bias: Flag = true,
    }
}

impl ConvTranspose1d {
    /// `[T, C] -> [T', out_channels]` with
    /// `T' = (T - 1)*stride + dilation*(kernel - 1) + 1 - 2*padding + output_padding`.
    ///
    /// # Errors
    /// When the input has another rank, the padding leaves nothing, the output padding is as large as
    /// stride and dilation, the groups do not divide the channels, an argument is 0, or sizes are too large.
    pub const fn output(&self, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        self.transposed().output(inputs[0])
    }

    /// The number of trained parameters: a kernel for each input channel and output channel of its
    /// group, a bias for each output channel.
    #[must_use]
    pub const fn params(&self, inputs: &[Shape]) -> usize {
        self.transposed().params(inputs[0])
    }

    /// Multiply-adds of one sample.
    #[must_use]
    pub const fn macs(&self, inputs: &[Shape]) -> usize {
        self.transposed().macs(inputs[0])
    }

    /// The tensors of its weights in files.
    pub fn tensors(&self, inputs: &[Shape], sink: &mut TensorSink<'_>) {
        self.transposed().tensors(inputs[0], sink);
    }

    /// How the output's number of steps is computed.
    #[must_use]
    pub const fn how(&self, inputs: &[Shape]) -> Text {
        self.transposed().how(inputs[0])
    }

    /// The number of output channels of one group. The rule refuses 0 groups.
    #[must_use]
    pub const fn group_filters(&self, _input: Shape) -> usize {
        // `Size::Computed` passes the input.
        self.transposed().group_filters()
    }

    /// The window of the kernel in the output.
    #[must_use]
    pub const fn window(&self) -> Window {
        // A sequence is an image of height 1.
        let [kernel, stride, dilation] =
            [[1, 1, self.kernel], [1, 1, self.stride], [1, 1, self.dilation]];
        let window = Window::without_padding(Over::Steps, kernel, stride, dilation);
        Window { padding: [[0; 2], [0; 2], [self.padding; 2]], ..window }
    }

    const fn transposed(&self) -> Transposed {
        Transposed {
            out_channels: self.out_channels,
            groups: self.groups,
            bias: self.bias,
            window: self.window(),
            output_padding: [0, 0, self.output_padding],
        }
    }
}

/// The row of `ConvTranspose1d`.
pub static ROW: Row = Row {
    name: "ConvTranspose1d",
    stem: "conv_transpose1d",
    summary: "transposed 1D convolution over steps",
    parameters: ConvTranspose1d::PARAMETERS,
    positional: 2,
    rule: |inputs, values| ConvTranspose1d::from_values(values).output(inputs),
    params: Some(|inputs, values| ConvTranspose1d::from_values(values).params(inputs)),
    tensors: Some(|inputs, values, sink| {
        ConvTranspose1d::from_values(values).tensors(inputs, sink)
    }),
    how: Some(|inputs, values| ConvTranspose1d::from_values(values).how(inputs)),
    macs: Some(|inputs, values| ConvTranspose1d::from_values(values).macs(inputs)),
    sizes: &[
        Size::Argument("out_channels"),
        Size::InputLast,
        Size::Computed("group_filters"),
        Size::Argument("kernel"),
        Size::Unless("bias"),
    ],
    computed: &[|inputs, values| ConvTranspose1d::from_values(values).group_filters(inputs[0])],
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

    const fn of(out_channels: usize, kernel: usize) -> ConvTranspose1d {
        ConvTranspose1d {
            out_channels,
            kernel,
            stride: 1,
            padding: 0,
            output_padding: 0,
            dilation: 1,
            groups: 1,
            bias: true,
        }
    }

    const STEPS: Shape = Shape::new(&[7, 16]);

    #[test]
    fn enlarges_by_its_stride() {
        const OUTPUT: Shape = crate::error::expect(of(8, 3).output(&[STEPS]), "up", "");
        assert_eq!(OUTPUT, Shape::new(&[9, 8]));
        let layer = ConvTranspose1d { stride: 2, padding: 1, output_padding: 1, ..of(8, 3) };
        assert_eq!(layer.output(&[STEPS]).unwrap(), Shape::new(&[14, 8]));
        assert_eq!(layer.how(&[STEPS]).as_str(), "(7 - 1)*2 + 3 - 2*1 + 1 = 14");
        // sum(p.numel() for p in nn.ConvTranspose1d(16, 8, 3).parameters())
        assert_eq!(layer.params(&[STEPS]), 392);
    }

    #[test]
    fn refuses_what_does_not_fit() {
        let layer = ConvTranspose1d { output_padding: 2, stride: 2, ..of(8, 2) };
        let (blame, words) = refusal(layer.output(&[STEPS]));
        assert_eq!(blame, Blame::Argument("output_padding"));
        assert_eq!(
            words,
            "layer `it` has an output padding of 2, but with a stride of 2 it can be at most 1"
        );
        let (blame, words) = refusal(ConvTranspose1d { padding: 5, ..of(8, 3) }.output(&[STEPS]));
        assert_eq!(blame, Blame::Argument("padding"));
        assert_eq!(
            words,
            "layer `it` has a padding of 5 and takes off all of its output, which is 9 long\n  \
             = help: a padding of at most 4 fits"
        );
        let (blame, _) = refusal(of(8, 3).output(&[Shape::new(&[7, 7, 16])]));
        assert_eq!(blame, Blame::Layer);
        let (blame, words) = refusal(of(8, 0).output(&[STEPS]));
        assert_eq!(blame, Blame::Argument("kernel"));
        assert_eq!(words, "layer `it` has a kernel of 0, but needs at least 1");
    }
}
