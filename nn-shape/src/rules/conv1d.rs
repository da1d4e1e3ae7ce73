//! `Conv1d`: PyTorch's `nn.Conv1d`, channels last, and its causal variant.

use crate::arguments::StepPadding;
use crate::arguments::arguments;
use crate::error::ShapeError;
use crate::role::Role;
use crate::row::{Channels, Flow, Flows, Needs, Row, Size, Steps, Streaming};
use crate::rules::convolution::Convolution;
use crate::rules::window::Window;
use crate::shape::Shape;
use crate::steps::StepMap;
use crate::tensors::TensorSink;
use crate::text::Text;

arguments! {
    /// A convolution (as in PyTorch a cross-correlation) over steps.
    pub struct Conv1d {
        /// The number of output channels.
        out_channels: Number,
        /// The size of the kernel.
        kernel: Number,
        /// The stride.
        stride: Number = 1,
        /// The number of zeros added on both sides, or `(before, after)`; `same` keeps the number of steps, divided by
        /// the stride, as in TensorFlow; `causal` adds all zeros before the first step, so that no output reads what
        /// comes after it.
        padding: StepPadding = StepPadding::Explicit(0),
        /// The distance between elements of the kernel.
        dilation: Number = 1,
        /// The number of groups that input and output channels are split into; each output channel reads the
        /// input channels of its own group only.
        groups: Number = 1,
        /// Whether a bias is added.
        bias: Flag = true,
    }
}

impl Conv1d {
    /// `[T, C] -> [T', out_channels]` with
    /// `T' = (T + 2*padding - dilation*(kernel - 1) - 1)/stride + 1`, rounded down.
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

    /// How the number of output steps is computed.
    #[must_use]
    pub const fn how(&self, inputs: &[Shape]) -> Text {
        self.window(inputs[0]).how(inputs[0])
    }

    /// The window of the kernel, over an input of this shape.
    #[must_use]
    pub const fn window(&self, input: Shape) -> Window {
        Window::over_steps(self.kernel, self.stride, self.padding, self.dilation, input)
    }

    /// Whether it can take a sequence step by step: it is causal, and makes one step of each.
    #[must_use]
    pub const fn streams(&self) -> bool {
        matches!(self.padding, StepPadding::Causal) && self.stride == 1
    }

    /// The number of output steps of a sequence that is shorter than its shape, `input`.
    #[must_use]
    pub const fn step_map(&self, input: Shape) -> StepMap {
        self.window(input).step_map()
    }

    /// The number of input channels of one group.
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

/// The row of `Conv1d`.
pub static ROW: Row = Row {
    name: "Conv1d",
    stem: "conv1d",
    summary: "1D convolution over steps",
    parameters: Conv1d::PARAMETERS,
    positional: 2,
    rule: |inputs, values| Conv1d::from_values(values).output(inputs),
    params: Some(|inputs, values| Conv1d::from_values(values).params(inputs)),
    tensors: Some(|inputs, values, sink| Conv1d::from_values(values).tensors(inputs, sink)),
    how: Some(|inputs, values| Conv1d::from_values(values).how(inputs)),
    macs: Some(|inputs, values| Conv1d::from_values(values).macs(inputs)),
    sizes: &[
        Size::Argument("out_channels"),
        Size::Computed("group_channels"),
        Size::Argument("kernel"),
        Size::Unless("bias"),
    ],
    computed: &[|inputs, values| Conv1d::from_values(values).group_channels(inputs[0])],
    flows: Flows { leading: Flow::Compute, last: Flow::Argument("out_channels"), keeps_rank: true },
    needs: Needs::INPUT,
    steps: Steps::Kernel,
    channels: Channels::First,
    streaming: Streaming::CarriesIf(|values| Conv1d::from_values(values).streams()),
    role: Role::Convolution,
    ..Row::BASE
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Blame;
    use crate::error::testing::refusal;

    const fn conv(out_channels: usize, kernel: usize) -> Conv1d {
        Conv1d {
            out_channels,
            kernel,
            stride: 1,
            padding: StepPadding::Explicit(0),
            dilation: 1,
            groups: 1,
            bias: true,
        }
    }

    #[test]
    fn follows_stride_padding_and_dilation() {
        const INPUT: Shape = Shape::new(&[20, 8]);
        const OUTPUT: Shape = crate::error::expect(conv(16, 3).output(&[INPUT]), "Conv1d", "");
        assert_eq!(OUTPUT, Shape::new(&[18, 16]));
        assert_eq!(conv(16, 3).how(&[INPUT]).as_str(), "(20 + 2*0 - 3)/1 + 1 = 18");
        let layer =
            Conv1d { stride: 2, padding: StepPadding::Explicit(1), dilation: 2, ..conv(4, 3) };
        assert_eq!(layer.output(&[INPUT]).unwrap(), Shape::new(&[9, 4]));
        let how = "(20 + 2*1 - 2*(3 - 1) - 1)/2 + 1 = 9, rounded down";
        assert_eq!(layer.how(&[INPUT]).as_str(), how);
    }

    #[test]
    fn same_and_causal_keep_the_steps() {
        let input = Shape::new(&[20, 8]);
        let same = Conv1d { padding: StepPadding::Same, dilation: 3, ..conv(16, 4) };
        assert_eq!(same.output(&[input]).unwrap(), Shape::new(&[20, 16]));
        assert_eq!(same.window(input).padding, [[0, 0], [0, 0], [4, 5]]);
        let causal = Conv1d { padding: StepPadding::Causal, ..same };
        assert_eq!(causal.output(&[input]).unwrap(), Shape::new(&[20, 16]));
        assert_eq!(causal.window(input).padding, [[0, 0], [0, 0], [9, 0]]);
        assert_eq!(causal.how(&[input]).as_str(), "(20 + 9 + 0 - 3*(4 - 1) - 1)/1 + 1 = 20");
        let strided = Conv1d { stride: 3, ..causal };
        assert_eq!(strided.output(&[input]).unwrap(), Shape::new(&[7, 16]));
    }

    #[test]
    fn counts_as_pytorch_does() {
        // sum(p.numel() for p in nn.Conv1d(8, 16, 3, ..).parameters())
        let input = [Shape::new(&[20, 8])];
        assert_eq!(conv(16, 3).params(&input), 400);
        assert_eq!(Conv1d { groups: 4, bias: false, ..conv(16, 3) }.params(&input), 96);
        assert_eq!(conv(16, 3).macs(&input), 18 * 16 * 3 * 8);
    }

    #[test]
    fn refuses_an_input_shorter_than_its_kernel() {
        let layer = Conv1d { dilation: 2, ..conv(16, 5) };
        let (blame, words) = refusal(layer.output(&[Shape::new(&[6, 6])]));
        assert_eq!(blame, Blame::Argument("kernel"));
        assert_eq!(
            words,
            "layer `it` has a kernel of 5 with a dilation of 2, which spans 9, but its input is only 6 long\n  \
             = note: (6 + 2*0 - 2*(5 - 1) - 1)/1 + 1 is less than 1\n  \
             = help: a kernel of at most 3 fits, or a smaller dilation"
        );
    }

    #[test]
    fn same_with_a_stride_is_tensorflow_s() {
        let layer = Conv1d { padding: StepPadding::Same, stride: 2, ..conv(16, 5) };
        let input = Shape::new(&[20, 8]);
        assert_eq!(layer.output(&[input]).unwrap(), Shape::new(&[10, 16]));
        assert_eq!(layer.window(input).padding, [[0, 0], [0, 0], [1, 2]]);
        assert_eq!(layer.step_map(input).apply(20), 10);
    }

    #[test]
    fn sides_have_paddings_of_their_own() {
        // The second convolution of torchcrepe.
        let layer = Conv1d { padding: StepPadding::Sides([31, 32]), ..conv(16, 64) };
        assert_eq!(layer.output(&[Shape::new(&[128, 8])]).unwrap(), Shape::new(&[128, 16]));
        let uneven = Conv1d { padding: StepPadding::Sides([0, 3]), ..conv(16, 4) };
        assert_eq!(uneven.output(&[Shape::new(&[20, 8])]).unwrap(), Shape::new(&[20, 16]));
        assert_eq!(uneven.step_map(Shape::new(&[20, 8])).apply(7), 7);
    }

    #[test]
    fn refuses_what_is_no_sequence() {
        let (blame, words) = refusal(conv(16, 3).output(&[Shape::new(&[20])]));
        assert_eq!(blame, Blame::Layer);
        assert_eq!(
            words,
            "layer `it` takes steps x features, but gets 20\n  \
             = help: write a sequence of one feature per step as `20x1`"
        );
    }

    #[test]
    fn refuses_groups_that_do_not_divide() {
        let (blame, _) =
            refusal(Conv1d { groups: 3, ..conv(16, 3) }.output(&[Shape::new(&[20, 8])]));
        assert_eq!(blame, Blame::Argument("groups"));
    }

    #[test]
    fn refuses_a_kernel_of_0() {
        let (blame, words) = refusal(conv(16, 0).output(&[Shape::new(&[20, 8])]));
        assert_eq!(blame, Blame::Argument("kernel"));
        assert_eq!(words, "layer `it` has a kernel of 0, but needs at least 1");
    }
}
