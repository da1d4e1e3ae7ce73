//! `WNConv1d`: a `Conv1d` with weight normalisation (Salimans and Kingma, 2016), PyTorch's `weight_norm(nn.Conv1d(..))`.

use crate::arguments::StepPadding;
use crate::arguments::arguments;
use crate::error::ShapeError;
use crate::role::Role;
use crate::row::{Channels, Flow, Flows, Needs, Row, Size, Steps, Streaming};
use crate::rules::conv1d::Conv1d;
pub use crate::rules::weight_norm::Names;
use crate::rules::window::Window;
use crate::shape::Shape;
use crate::steps::StepMap;
use crate::tensors::TensorSink;
use crate::text::Text;

arguments! {
    /// A convolution over steps with weights `g * v / ||v||`, where the norm is that of all weights of one output channel.
    /// Where they are all 0, that channel is NaN, as in PyTorch.
    pub struct WNConv1d {
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
        /// The names of `g` and `v` in files: `parametrizations.weight.original0` and `original1` (`parametrizations`), or
        /// `weight_g` and `weight_v` (`weight_g`).
        names: Word(Names) = Names::Parametrizations,
    }
}

impl WNConv1d {
    /// `[T, C] -> [T', out_channels]`, as `Conv1d`.
    ///
    /// # Errors
    /// Those of `Conv1d`.
    pub const fn output(&self, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        self.plain().output(inputs)
    }

    /// The number of trained parameters: those of a `Conv1d`, and `g` for each output channel.
    #[must_use]
    pub const fn params(&self, inputs: &[Shape]) -> usize {
        self.plain().params(inputs) + self.out_channels
    }

    /// The tensors of its weights in files.
    pub fn tensors(&self, inputs: &[Shape], sink: &mut TensorSink<'_>) {
        let plain = self.plain();
        self.names.tensors(plain.params(inputs), |sink| plain.tensors(inputs, sink), sink);
    }

    /// Multiply-adds of one sample.
    #[must_use]
    pub const fn macs(&self, inputs: &[Shape]) -> usize {
        self.plain().macs(inputs)
    }

    /// How the number of output steps is computed.
    #[must_use]
    pub const fn how(&self, inputs: &[Shape]) -> Text {
        self.plain().how(inputs)
    }

    /// The window of the kernel, over an input of this shape.
    #[must_use]
    pub const fn window(&self, input: Shape) -> Window {
        self.plain().window(input)
    }

    /// Whether it can take a sequence step by step: it is causal, and makes one step of each.
    #[must_use]
    pub const fn streams(&self) -> bool {
        self.plain().streams()
    }

    /// The number of output steps of a sequence that is shorter than its shape, `input`.
    #[must_use]
    pub const fn step_map(&self, input: Shape) -> StepMap {
        self.plain().step_map(input)
    }

    /// The number of input channels of one group.
    #[must_use]
    pub const fn group_channels(&self, input: Shape) -> usize {
        self.plain().group_channels(input)
    }

    /// The same without normalisation.
    const fn plain(&self) -> Conv1d {
        let Self { out_channels, kernel, stride, padding, dilation, groups, bias, .. } = *self;
        Conv1d { out_channels, kernel, stride, padding, dilation, groups, bias }
    }
}

/// The row of `WNConv1d`.
pub static ROW: Row = Row {
    name: "WNConv1d",
    stem: "wn_conv1d",
    summary: "1D convolution over steps with weight normalisation",
    parameters: WNConv1d::PARAMETERS,
    positional: 2,
    rule: |inputs, values| WNConv1d::from_values(values).output(inputs),
    params: Some(|inputs, values| WNConv1d::from_values(values).params(inputs)),
    tensors: Some(|inputs, values, sink| WNConv1d::from_values(values).tensors(inputs, sink)),
    how: Some(|inputs, values| WNConv1d::from_values(values).how(inputs)),
    macs: Some(|inputs, values| WNConv1d::from_values(values).macs(inputs)),
    sizes: &[
        Size::Argument("out_channels"),
        Size::Computed("group_channels"),
        Size::Argument("kernel"),
        Size::Unless("bias"),
    ],
    computed: &[|inputs, values| WNConv1d::from_values(values).group_channels(inputs[0])],
    flows: Flows { leading: Flow::Compute, last: Flow::Argument("out_channels"), keeps_rank: true },
    needs: Needs::INPUT,
    steps: Steps::Kernel,
    channels: Channels::First,
    streaming: Streaming::CarriesIf(|values| WNConv1d::from_values(values).streams()),
    role: Role::Convolution,
    ..Row::BASE
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Blame;
    use crate::error::testing::refusal;

    const INPUT: Shape = Shape::new(&[20, 8]);
    const LAYER: WNConv1d = WNConv1d {
        out_channels: 16,
        kernel: 3,
        stride: 1,
        padding: StepPadding::Causal,
        dilation: 1,
        groups: 1,
        bias: true,
        names: Names::Parametrizations,
    };

    #[test]
    fn is_a_convolution_with_a_gain() {
        const OUTPUT: Shape = crate::error::expect(LAYER.output(&[INPUT]), "it", "");
        assert_eq!(OUTPUT, Shape::new(&[20, 16]));
        // sum(p.numel() for p in weight_norm(nn.Conv1d(8, 16, 3)).parameters())
        assert_eq!(LAYER.params(&[INPUT]), 416);
        assert_eq!(LAYER.macs(&[INPUT]), 20 * 16 * 3 * 8);
        assert!(LAYER.streams() && !WNConv1d { stride: 2, ..LAYER }.streams());
    }

    #[test]
    fn refuses_what_a_convolution_refuses() {
        let (blame, _) = refusal(WNConv1d { kernel: 0, ..LAYER }.output(&[INPUT]));
        assert_eq!(blame, Blame::Argument("kernel"));
    }
}
