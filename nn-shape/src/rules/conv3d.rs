//! `Conv3d`: PyTorch's `nn.Conv3d`, channels last.

use crate::arguments::VolumePadding;
use crate::arguments::arguments;
use crate::error::ShapeError;
use crate::role::Role;
use crate::row::{Channels, Flow, Flows, Needs, Row, Size, Steps};
use crate::rules::convolution::Convolution;
use crate::rules::window::Window;
use crate::shape::Shape;
use crate::tensors::TensorSink;
use crate::text::Text;

arguments! {
    /// A convolution (as in PyTorch a cross-correlation) over depth, height and width.
    pub struct Conv3d {
        /// The number of output channels.
        out_channels: Number,
        /// The size of the kernel.
        kernel: Triple,
        /// The stride.
        stride: Triple = [1; 3],
        /// The number of zeros added on each side of the input, or `(front, back, top, bottom, left, right)`; `same`
        /// keeps depth, height and width, divided by the stride, as in TensorFlow.
        padding: VolumePadding = VolumePadding::Explicit([0; 3]),
        /// The distance between elements of the kernel.
        dilation: Triple = [1; 3],
        /// The number of groups that input and output channels are split into; each output channel reads the
        /// input channels of its own group only.
        groups: Number = 1,
        /// Whether a bias is added.
        bias: Flag = true,
    }
}

impl Conv3d {
    /// `[D, H, W, C] -> [D', H', W', out_channels]` with
    /// `D' = (D + 2*padding - dilation*(kernel - 1) - 1)/stride + 1`, rounded down.
    ///
    /// # Errors
    /// When the input has another rank or is smaller than the kernel, the groups do not divide the
    /// channels, an argument is 0, or sizes are too large.
    pub const fn output(&self, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        self.convolution(inputs[0]).output(inputs[0])
    }

    /// The number of trained parameters: a kernel for each output channel and channel of its group, a bias for each
    /// output channel.
    #[must_use]
    pub const fn params(&self, inputs: &[Shape]) -> usize {
        self.convolution(inputs[0]).params(inputs[0])
    }

    /// The tensors of its weights in files.
    pub fn tensors(&self, inputs: &[Shape], sink: &mut TensorSink<'_>) {
        self.convolution(inputs[0]).tensors(inputs[0], sink);
    }

    /// Multiply-adds of one sample.
    #[must_use]
    pub const fn macs(&self, inputs: &[Shape]) -> usize {
        self.convolution(inputs[0]).macs(inputs[0])
    }

    /// How the output's depth, height and width are computed.
    #[must_use]
    pub const fn how(&self, inputs: &[Shape]) -> Text {
        self.window(inputs[0]).how(inputs[0])
    }

    /// The window of the kernel, over an input of this shape.
    #[must_use]
    pub const fn window(&self, input: Shape) -> Window {
        Window::over_volumes(self.kernel, self.stride, self.padding, self.dilation, input)
    }

    /// The number of input channels of one group. The rule refuses 0 groups.
    #[must_use]
    pub const fn group_channels(&self, input: Shape) -> usize {
        self.convolution(input).group_channels(input)
    }

    const fn convolution(&self, input: Shape) -> Convolution {
        Convolution {
            out_channels: self.out_channels,
            groups: self.groups,
            bias: self.bias,
            window: self.window(input),
        }
    }
}

/// The row of `Conv3d`.
pub static ROW: Row = Row {
    name: "Conv3d",
    stem: "conv3d",
    summary: "3D convolution over depth, height and width",
    parameters: Conv3d::PARAMETERS,
    positional: 2,
    rule: |inputs, values| Conv3d::from_values(values).output(inputs),
    params: Some(|inputs, values| Conv3d::from_values(values).params(inputs)),
    tensors: Some(|inputs, values, sink| Conv3d::from_values(values).tensors(inputs, sink)),
    how: Some(|inputs, values| Conv3d::from_values(values).how(inputs)),
    macs: Some(|inputs, values| Conv3d::from_values(values).macs(inputs)),
    sizes: &[
        Size::Argument("out_channels"),
        Size::Computed("group_channels"),
        Size::ArgumentAxis("kernel", 0),
        Size::ArgumentAxis("kernel", 1),
        Size::ArgumentAxis("kernel", 2),
        Size::Unless("bias"),
    ],
    computed: &[|inputs, values| Conv3d::from_values(values).group_channels(inputs[0])],
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

    const fn conv(out_channels: usize, kernel: usize) -> Conv3d {
        Conv3d {
            out_channels,
            kernel: [kernel; 3],
            stride: [1; 3],
            padding: VolumePadding::Explicit([0; 3]),
            dilation: [1; 3],
            groups: 1,
            bias: true,
        }
    }

    const VOLUME: Shape = Shape::new(&[16, 16, 16, 8]);

    #[test]
    fn shrinks_by_its_kernel() {
        const OUTPUT: Shape = crate::error::expect(conv(32, 3).output(&[VOLUME]), "conv1", "");
        assert_eq!(OUTPUT, Shape::new(&[14, 14, 14, 32]));
        assert_eq!(conv(32, 3).how(&[VOLUME]).as_str(), "(16 + 2*0 - 3)/1 + 1 = 14");
        // sum(p.numel() for p in nn.Conv3d(8, 32, 3, ..).parameters())
        assert_eq!(conv(32, 3).params(&[VOLUME]), 6944);
        assert_eq!(Conv3d { groups: 4, bias: false, ..conv(32, 3) }.params(&[VOLUME]), 1728);
        assert_eq!(conv(32, 3).macs(&[VOLUME]), 14 * 14 * 14 * 32 * 27 * 8);
    }

    #[test]
    fn follows_stride_padding_and_dilation() {
        // The stem of torchvision's r3d_18, for 16 frames of 112x112 pixels.
        let stem = Conv3d {
            kernel: [3, 7, 7],
            stride: [1, 2, 2],
            padding: VolumePadding::Explicit([1, 3, 3]),
            ..conv(64, 1)
        };
        let video = Shape::new(&[16, 112, 112, 3]);
        assert_eq!(stem.output(&[video]).unwrap(), Shape::new(&[16, 56, 56, 64]));
        assert_eq!(
            stem.how(&[video]).as_str(),
            "depth (16 + 2*1 - 3)/1 + 1 = 16, height (112 + 2*3 - 7)/2 + 1 = 56, rounded down, \
             width (112 + 2*3 - 7)/2 + 1 = 56, rounded down"
        );
        let dilated = Conv3d { dilation: [2, 1, 3], ..conv(4, 3) };
        assert_eq!(dilated.output(&[VOLUME]).unwrap(), Shape::new(&[12, 14, 10, 4]));
    }

    #[test]
    fn same_and_sides_pad_unevenly() {
        let even = Conv3d { padding: VolumePadding::Same, ..conv(8, 4) };
        assert_eq!(even.output(&[VOLUME]).unwrap(), VOLUME);
        assert_eq!(even.window(VOLUME).padding, [[1, 2]; 3]);
        let strided = Conv3d { padding: VolumePadding::Same, stride: [2, 1, 3], ..conv(8, 3) };
        assert_eq!(strided.output(&[VOLUME]).unwrap(), Shape::new(&[8, 16, 6, 8]));
        let sides = Conv3d { padding: VolumePadding::Sides([2, 0, 0, 1, 1, 1]), ..conv(8, 3) };
        assert_eq!(sides.output(&[VOLUME]).unwrap(), Shape::new(&[16, 15, 16, 8]));
        let padding = VolumePadding::Sides([0, usize::MAX, 0, 0, 0, 0]);
        let (blame, _) = refusal(Conv3d { padding, ..sides }.output(&[VOLUME]));
        assert_eq!(blame, Blame::Argument("padding"));
    }

    #[test]
    fn refuses_a_kernel_larger_than_the_input() {
        let (blame, words) = refusal(conv(32, 5).output(&[Shape::new(&[3, 28, 28, 8])]));
        assert_eq!(blame, Blame::Argument("kernel"));
        assert_eq!(
            words,
            "layer `it` has a kernel of 5, but its input is only 3 deep\n  \
             = note: (3 + 2*0 - 5)/1 + 1 is less than 1\n  \
             = help: a kernel of at most 3 fits, or write `padding = 1`"
        );
    }

    #[test]
    fn refuses_channels_first() {
        let (_, words) = refusal(conv(32, 3).output(&[Shape::new(&[1, 16, 64, 64])]));
        assert_eq!(
            words,
            "layer `it` has a kernel of 3, but its input is only 1 deep\n  \
             = note: (1 + 2*0 - 3)/1 + 1 is less than 1\n  \
             = help: channels come last here: write `16x64x64x1`"
        );
    }

    #[test]
    fn refuses_inputs_that_are_no_volumes() {
        let help = |input: &[usize]| {
            let (blame, words) = refusal(conv(32, 3).output(&[Shape::new(input)]));
            assert_eq!(blame, Blame::Layer);
            assert!(
                words.starts_with("layer `it` takes depth x height x width x channels, but gets "),
                "{words}"
            );
            words.split("help: ").nth(1).map(std::string::String::from)
        };
        let write = |words: &str| Some(std::string::String::from(words));
        assert_eq!(
            help(&[1600]),
            write(
                "put it before `Flatten`, or write `Reshape(DxHxWxC)` with your depth, height, width and \
                 channels before it"
            )
        );
        assert_eq!(
            help(&[28, 28, 3]),
            write(
                "write `1x28x28x3` for a volume of depth 1, or use a layer over height and width"
            )
        );
        assert_eq!(
            help(&[16, 64, 64]),
            write("add the number of channels: write `16x64x64x1` for one channel")
        );
        assert_eq!(
            help(&[8, 16, 64, 64, 1]),
            write("samples have no batch axis: write `16x64x64x1` in the header")
        );
        assert_eq!(help(&[20, 3]), None);
    }

    #[test]
    fn refuses_groups_and_sizes_that_do_not_fit() {
        let (blame, _) = refusal(Conv3d { groups: 3, ..conv(32, 3) }.output(&[VOLUME]));
        assert_eq!(blame, Blame::Argument("groups"));
        let (blame, words) = refusal(Conv3d { stride: [1, 0, 2], ..conv(32, 3) }.output(&[VOLUME]));
        assert_eq!(blame, Blame::Argument("stride"));
        assert_eq!(words, "layer `it` has a stride of 1x0x2, but needs at least 1");
        let (blame, words) = refusal(conv(1 << 30, 16).output(&[VOLUME]));
        assert_eq!(blame, Blame::Argument("out_channels"));
        assert_eq!(
            words,
            "layer `it` needs 1073741824*8*16*16*16 weights, but can have at most 1099511627776"
        );
    }
}
