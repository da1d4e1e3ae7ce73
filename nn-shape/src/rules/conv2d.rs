//! `Conv2d`: PyTorch's `nn.Conv2d`, channels last.

use crate::arguments::Padding;
use crate::arguments::arguments;
use crate::error::ShapeError;
use crate::fusion::{CACHED, Fusion, Separable};
use crate::role::Role;
use crate::row::{Channels, Flow, Flows, Needs, Row, Size, Steps};
use crate::rules::convolution::Convolution;
use crate::rules::window::Window;
use crate::shape::Shape;
use crate::tensors::TensorSink;
use crate::text::Text;
use crate::winograd::ImageConvolution;

arguments! {
    /// A convolution (as in PyTorch a cross-correlation) over height and width.
    pub struct Conv2d {
        /// The number of output channels.
        out_channels: Number,
        /// The size of the kernel.
        kernel: Pair,
        /// The stride.
        stride: Pair = [1, 1],
        /// The number of zeros added on each side of the input, or `(top, bottom, left, right)`; `same` keeps height
        /// and width, divided by the stride, as in TensorFlow.
        padding: Padding = Padding::Explicit([0, 0]),
        /// The distance between elements of the kernel.
        dilation: Pair = [1, 1],
        /// The number of groups that input and output channels are split into; each output channel reads the
        /// input channels of its own group only.
        groups: Number = 1,
        /// Whether a bias is added.
        bias: Flag = true,
    }
}

impl Conv2d {
    /// `[H, W, C] -> [H', W', out_channels]` with
    /// `H' = (H + 2*padding - dilation*(kernel - 1) - 1)/stride + 1`, rounded down.
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

    /// How the output's height and width are computed.
    #[must_use]
    pub const fn how(&self, inputs: &[Shape]) -> Text {
        self.window(inputs[0]).how(inputs[0])
    }

    /// The window of the kernel, over an input of this shape.
    #[must_use]
    pub const fn window(&self, input: Shape) -> Window {
        Window::over_images(self.kernel, self.stride, self.padding, self.dilation, input)
    }

    /// The number of input channels of one group. The rule refuses 0 groups.
    #[must_use]
    pub const fn group_channels(&self, input: Shape) -> usize {
        self.convolution(input).group_channels(input)
    }

    /// Whether its output can go into a pool as it is computed: in one group, and with weights that stay in a
    /// second-level cache, since they are read again for each strip of pixels. Winograd's algorithm does not compute strips.
    const fn can_be_pooled(&self, input: Shape) -> bool {
        let few_weights = self.params(&[input]) <= CACHED;
        self.groups == 1 && self.out_channels > 1 && few_weights && !self.suits_winograd(input)
    }

    const fn suits_winograd(&self, input: Shape) -> bool {
        let Self { kernel, stride, dilation, groups, .. } = *self;
        let Ok(output) = self.output(&[input]) else { return false };
        let (channels, filters) = (input.last(), output.last());
        let output = [output.dim(0), output.dim(1)];
        ImageConvolution { kernel, stride, dilation, groups, channels, filters, output }
            .suits_winograd()
    }

    /// Its part in a depthwise separable convolution.
    const fn separable(&self, input: Shape) -> Option<Separable> {
        let (Self { kernel, stride, .. }, window) = (*self, self.window(input));
        let ([_, [above, below], sides], extent) = (window.padding, window.extent(1));
        let unpadded = above + below + sides[0] + sides[1] == 0;
        if self.groups == 1 && kernel[0] == 1 && kernel[1] == 1 && stride[0] == 1 && stride[1] == 1
        {
            if unpadded { Some(Separable::Pointwise) } else { None }
        // Each line of the output meets a line of the input at least.
        } else if self.groups == input.last()
            && self.out_channels == self.groups
            && above < extent
            && below < extent
        {
            Some(Separable::Depthwise { stride: stride[0], extent })
        } else {
            None
        }
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

/// The row of `Conv2d`.
pub static ROW: Row = Row {
    name: "Conv2d",
    stem: "conv2d",
    summary: "2D convolution over height and width",
    parameters: Conv2d::PARAMETERS,
    positional: 2,
    rule: |inputs, values| Conv2d::from_values(values).output(inputs),
    params: Some(|inputs, values| Conv2d::from_values(values).params(inputs)),
    tensors: Some(|inputs, values, sink| Conv2d::from_values(values).tensors(inputs, sink)),
    how: Some(|inputs, values| Conv2d::from_values(values).how(inputs)),
    macs: Some(|inputs, values| Conv2d::from_values(values).macs(inputs)),
    sizes: &[
        Size::Argument("out_channels"),
        Size::Computed("group_channels"),
        Size::ArgumentAxis("kernel", 0),
        Size::ArgumentAxis("kernel", 1),
        Size::Unless("bias"),
    ],
    computed: &[|inputs, values| Conv2d::from_values(values).group_channels(inputs[0])],
    flows: Flows { leading: Flow::Compute, last: Flow::Argument("out_channels"), keeps_rank: true },
    needs: Needs::INPUT,
    steps: Steps::All,
    channels: Channels::First,
    fusion: Fusion::Convolution {
        pooled: |inputs, values| Conv2d::from_values(values).can_be_pooled(inputs[0]),
        separable: |inputs, values| Conv2d::from_values(values).separable(inputs[0]),
    },
    role: Role::Convolution,
    ..Row::BASE
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Blame;
    use crate::error::testing::refusal;

    const fn conv(out_channels: usize, kernel: usize) -> Conv2d {
        Conv2d {
            out_channels,
            kernel: [kernel; 2],
            stride: [1, 1],
            padding: Padding::Explicit([0, 0]),
            dilation: [1, 1],
            groups: 1,
            bias: true,
        }
    }

    const IMAGE: Shape = Shape::new(&[28, 28, 1]);

    #[test]
    fn shrinks_by_its_kernel() {
        const OUTPUT: Shape = crate::error::expect(conv(32, 3).output(&[IMAGE]), "conv1", "");
        assert_eq!(OUTPUT, Shape::new(&[26, 26, 32]));
        assert_eq!(conv(32, 3).how(&[IMAGE]).as_str(), "(28 + 2*0 - 3)/1 + 1 = 26");
        assert_eq!(conv(32, 3).params(&[IMAGE]), 320);
        assert_eq!(conv(32, 3).macs(&[IMAGE]), 26 * 26 * 32 * 9);
        assert_eq!(Conv2d { bias: false, ..conv(32, 3) }.params(&[IMAGE]), 288);
    }

    #[test]
    fn follows_stride_padding_and_dilation() {
        let input = Shape::new(&[224, 224, 3]);
        let stem = Conv2d { stride: [2, 2], padding: Padding::Explicit([3, 3]), ..conv(64, 7) };
        assert_eq!(stem.output(&[input]).unwrap(), Shape::new(&[112, 112, 64]));
        assert_eq!(stem.how(&[input]).as_str(), "(224 + 2*3 - 7)/2 + 1 = 112, rounded down");
        assert_eq!(stem.params(&[input]), 64 * 3 * 7 * 7 + 64);
        // (10 + 2*2 - 2*2 - 1)/2 + 1 high, (20 - 3*4 - 1)/1 + 1 wide.
        let uneven = Conv2d {
            kernel: [3, 5],
            stride: [2, 1],
            padding: Padding::Explicit([2, 0]),
            dilation: [2, 3],
            ..conv(4, 1)
        };
        let input = Shape::new(&[10, 20, 6]);
        assert_eq!(uneven.output(&[input]).unwrap(), Shape::new(&[5, 8, 4]));
        assert_eq!(
            uneven.how(&[input]).as_str(),
            "height (10 + 2*2 - 2*(3 - 1) - 1)/2 + 1 = 5, rounded down, \
             width (20 + 2*0 - 3*(5 - 1) - 1)/1 + 1 = 8"
        );
    }

    #[test]
    fn same_keeps_height_and_width() {
        for (kernel, dilation) in [(1, 1), (2, 1), (3, 1), (4, 3), (5, 2)] {
            let layer =
                Conv2d { padding: Padding::Same, dilation: [dilation; 2], ..conv(8, kernel) };
            assert_eq!(layer.output(&[IMAGE]).unwrap(), Shape::new(&[28, 28, 8]));
        }
        // The odd one goes to the end, as in PyTorch.
        let even = Conv2d { padding: Padding::Same, ..conv(8, 4) };
        assert_eq!(even.window(IMAGE).padding, [[0, 0], [1, 2], [1, 2]]);
        assert_eq!(even.how(&[IMAGE]).as_str(), "(28 + 1 + 2 - 4)/1 + 1 = 28");
    }

    #[test]
    fn groups_share_the_channels_out() {
        let input = Shape::new(&[14, 14, 32]);
        let depthwise = Conv2d { groups: 32, ..conv(64, 3) };
        assert_eq!(depthwise.output(&[input]).unwrap(), Shape::new(&[12, 12, 64]));
        assert_eq!(depthwise.group_channels(input), 1);
        assert_eq!(depthwise.params(&[input]), 64 * 9 + 64);
        assert_eq!(depthwise.macs(&[input]), 12 * 12 * 64 * 9);
    }

    #[test]
    fn refuses_a_kernel_larger_than_the_input() {
        let (blame, words) = refusal(conv(32, 5).output(&[Shape::new(&[3, 28, 1])]));
        assert_eq!(blame, Blame::Argument("kernel"));
        assert_eq!(
            words,
            "layer `it` has a kernel of 5, but its input is only 3 high\n  \
             = note: (3 + 2*0 - 5)/1 + 1 is less than 1\n  \
             = help: a kernel of at most 3 fits, or write `padding = 1`"
        );
        let layer = Conv2d {
            dilation: [4, 4],
            padding: Padding::Explicit([1, 1]),
            kernel: [1, 3],
            ..conv(32, 1)
        };
        let (_, words) = refusal(layer.output(&[Shape::new(&[3, 5, 1])]));
        assert_eq!(
            words,
            "layer `it` has a kernel of 1x3 with a dilation of 4, which spans 9, \
             but its input is only 5 wide (7 with padding)\n  \
             = note: (5 + 2*1 - 4*(3 - 1) - 1)/1 + 1 is less than 1\n  \
             = help: a kernel of at most 2 fits, or a smaller dilation"
        );
    }

    #[test]
    fn refuses_channels_first() {
        let (_, words) = refusal(conv(32, 3).output(&[Shape::new(&[1, 28, 28])]));
        assert_eq!(
            words,
            "layer `it` has a kernel of 3, but its input is only 1 high\n  \
             = note: (1 + 2*0 - 3)/1 + 1 is less than 1\n  \
             = help: channels come last here: write `28x28x1`"
        );
    }

    #[test]
    fn refuses_inputs_that_are_no_images() {
        let (blame, words) = refusal(conv(32, 3).output(&[Shape::new(&[1600])]));
        assert_eq!(blame, Blame::Layer);
        assert_eq!(
            words,
            "layer `it` takes height x width x channels, but gets 1600\n  \
             = help: put it before `Flatten`, or write `Reshape(HxWxC)` with your height, width and channels before it"
        );
        let (_, words) = refusal(conv(32, 3).output(&[Shape::new(&[28, 28])]));
        assert_eq!(
            words,
            "layer `it` takes height x width x channels, but gets 28x28\n  \
             = help: add the number of channels: write `28x28x1` for one channel"
        );
        let (_, words) = refusal(conv(32, 3).output(&[Shape::new(&[4, 28, 28, 1])]));
        assert_eq!(
            words,
            "layer `it` takes height x width x channels, but gets 4x28x28x1\n  \
             = help: samples have no batch axis: write `28x28x1` in the header; for the images of a sequence, write \
             `PerStep { .. }` around it"
        );
    }

    #[test]
    fn refuses_groups_that_do_not_divide_the_channels() {
        let layer = Conv2d { groups: 3, ..conv(64, 3) };
        let (blame, words) = refusal(layer.output(&[Shape::new(&[28, 28, 32])]));
        assert_eq!(blame, Blame::Argument("groups"));
        assert_eq!(
            words,
            "layer `it` splits its input's channels into 3 groups, but 32 is not divisible by 3\n  \
             = help: write `groups` as 1, 2, 4, 8, 16 or 32, which divide 32 input and 64 output channels"
        );
        let layer = Conv2d { groups: 32, ..conv(48, 3) };
        let (blame, words) = refusal(layer.output(&[Shape::new(&[28, 28, 32])]));
        assert_eq!(blame, Blame::Argument("out_channels"));
        assert_eq!(
            words,
            "layer `it` splits its output channels into 32 groups, but 48 is not divisible by 32\n  \
             = help: write 64 output channels, or `groups` as 1, 2, 4, 8 or 16"
        );
    }

    #[test]
    fn same_with_a_stride_is_tensorflow_s() {
        // tf.keras.layers.Conv2D(.., padding="same"): 28/2 = 14 and 15/2 = 8, rounded up.
        let layer = Conv2d { padding: Padding::Same, stride: [2, 2], ..conv(32, 3) };
        let input = Shape::new(&[28, 15, 3]);
        assert_eq!(layer.output(&[input]).unwrap(), Shape::new(&[14, 8, 32]));
        assert_eq!(layer.window(input).padding, [[0, 0], [0, 1], [1, 1]]);
        let wide = Conv2d { stride: [3, 5], ..layer };
        assert_eq!(wide.output(&[input]).unwrap(), Shape::new(&[10, 3, 32]));
        assert_eq!(wide.window(input).padding, [[0, 0], [1, 1], [0, 0]]);
    }

    #[test]
    fn sides_have_paddings_of_their_own() {
        let layer = Conv2d { padding: Padding::Sides([0, 1, 2, 0]), ..conv(8, 3) };
        assert_eq!(layer.output(&[IMAGE]).unwrap(), Shape::new(&[27, 28, 8]));
        let how = "height (28 + 0 + 1 - 3)/1 + 1 = 27, width (28 + 2 + 0 - 3)/1 + 1 = 28";
        assert_eq!(layer.how(&[IMAGE]).as_str(), how);
        let padding = Padding::Sides([0, 0, 0, usize::MAX]);
        let (blame, _) = refusal(Conv2d { padding, ..layer }.output(&[IMAGE]));
        assert_eq!(blame, Blame::Argument("padding"));
    }

    #[test]
    fn refuses_arguments_of_0() {
        let refuse = |layer: Conv2d| refusal(layer.output(&[IMAGE]));
        let (blame, words) = refuse(conv(0, 3));
        assert_eq!(blame, Blame::Argument("out_channels"));
        assert_eq!(words, "layer `it` has 0 output channels, but needs at least 1");
        let (blame, words) = refuse(conv(32, 0));
        assert_eq!(blame, Blame::Argument("kernel"));
        assert_eq!(words, "layer `it` has a kernel of 0, but needs at least 1");
        let (blame, words) = refuse(Conv2d { stride: [1, 0], ..conv(32, 3) });
        assert_eq!(blame, Blame::Argument("stride"));
        assert_eq!(words, "layer `it` has a stride of 1x0, but needs at least 1");
        let (blame, words) = refuse(Conv2d { dilation: [0, 0], ..conv(32, 3) });
        assert_eq!(blame, Blame::Argument("dilation"));
        assert_eq!(words, "layer `it` has a dilation of 0, but needs at least 1");
        let (blame, words) = refuse(Conv2d { groups: 0, ..conv(32, 3) });
        assert_eq!(blame, Blame::Argument("groups"));
        assert_eq!(words, "layer `it` has 0 groups, but needs at least 1");
    }

    #[test]
    fn refuses_absurd_sizes() {
        let huge = usize::MAX;
        for layer in [
            conv(huge, 3),
            conv(32, huge),
            Conv2d { stride: [huge; 2], ..conv(32, 3) },
            Conv2d { dilation: [huge; 2], ..conv(32, 3) },
            Conv2d { groups: huge, ..conv(32, 3) },
        ] {
            let (_, words) = refusal(layer.output(&[IMAGE]));
            assert!(words.ends_with(", but can have at most 1099511627776"), "{words}");
        }
        let padding = Padding::Explicit([huge; 2]);
        let (blame, words) = refusal(Conv2d { padding, ..conv(32, 3) }.output(&[IMAGE]));
        assert_eq!(blame, Blame::Argument("padding"));
        assert_eq!(
            words,
            "layer `it` has a padding of 18446744073709551615, but can have at most 1099511627776"
        );
        let (_, words) = refusal(conv(1 << 40, 1).output(&[Shape::new(&[2, 2, 2])]));
        assert_eq!(
            words,
            "layer `it` needs 1099511627776*2*1*1 weights, but can have at most 1099511627776"
        );
        let (_, words) = refusal(conv(1 << 39, 1).output(&[Shape::new(&[2, 2, 1])]));
        assert_eq!(
            words,
            "layer `it` gives 2x2x549755813888, but a value can hold at most 1099511627776 elements"
        );
    }
}
