//! `ConvTranspose2d`: PyTorch's `nn.ConvTranspose2d`, channels last.

use crate::arguments::Padding;
use crate::arguments::arguments;
use crate::error::ShapeError;
use crate::role::Role;
use crate::row::{Channels, Flow, Flows, Needs, Row, Size, Steps};
use crate::rules::transposed::Transposed;
use crate::rules::window::Window;
use crate::shape::Shape;
use crate::tensors::TensorSink;
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

impl ConvTranspose2d {
    /// `[H, W, C] -> [H', W', out_channels]` with
    /// `H' = (H - 1)*stride + dilation*(kernel - 1) + 1 - 2*padding + output_padding`.
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

    /// The tensors of its weights in files.
    pub fn tensors(&self, inputs: &[Shape], sink: &mut TensorSink<'_>) {
        self.transposed().tensors(inputs[0], sink);
    }

    /// Multiply-adds of one sample.
    #[must_use]
    pub const fn macs(&self, inputs: &[Shape]) -> usize {
        self.transposed().macs(inputs[0])
    }

    /// How the output's height and width are computed.
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
        let padding = Padding::Explicit(self.padding);
        // Explicit padding does not depend on an input.
        let input = Shape::new(&[]);
        Window::over_images(self.kernel, self.stride, padding, self.dilation, input)
    }

    const fn transposed(&self) -> Transposed {
        Transposed {
            out_channels: self.out_channels,
            groups: self.groups,
            bias: self.bias,
            window: self.window(),
            output_padding: [0, self.output_padding[0], self.output_padding[1]],
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
