//! `SNConv1d`: a `Conv1d` with spectral normalisation (Miyato et al., 2018), PyTorch's `spectral_norm(nn.Conv1d(..))`.

use crate::arguments::StepPadding;
use crate::arguments::arguments;
use crate::error::ShapeError;
use crate::role::Role;
use crate::row::{Channels, Flow, Flows, Needs, Row, Size, Steps, Streaming};
use crate::rules::conv1d::Conv1d;
pub use crate::rules::spectral_norm::Names;
use crate::rules::spectral_norm::Spectral;
use crate::rules::window::Window;
use crate::shape::Shape;
use crate::steps::StepMap;
use crate::tensors::TensorSink;
use crate::text::Text;

arguments! {
    /// A convolution over steps with weights `w / sigma`, where `sigma` approximates the largest singular
    /// value of the weights as a matrix with a row for each output. Each forward pass in training makes one power iteration.
    /// Where all weights are 0, all outputs are NaN, as in PyTorch.
    pub struct SNConv1d {
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
        /// The names of `w`, `u` and `v` in files: `parametrizations.weight.original`, `parametrizations.weight.0._u` and `_v`
        /// (`parametrizations`), or `weight_orig`, `weight_u` and `weight_v` (`weight_orig`).
        names: Word(Names) = Names::Parametrizations,
    }
}

impl SNConv1d {
    /// `[T, C] -> [T', out_channels]`, as `Conv1d`.
    ///
    /// # Errors
    /// Those of `Conv1d`.
    pub const fn output(&self, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        self.plain().output(inputs)
    }

    /// The number of trained parameters, as of a `Conv1d`.
    #[must_use]
    pub const fn params(&self, inputs: &[Shape]) -> usize {
        self.plain().params(inputs)
    }

    /// Stored elements that are not trained: `u` and `v`, approximations of singular vectors.
    #[must_use]
    pub const fn buffers(&self, inputs: &[Shape]) -> usize {
        self.spectral(inputs).buffers()
    }

    /// The tensors of its weights in files.
    pub fn tensors(&self, inputs: &[Shape], sink: &mut TensorSink<'_>) {
        let plain = |sink: &mut TensorSink<'_>| self.plain().tensors(inputs, sink);
        self.spectral(inputs).tensors(self.names, plain, sink);
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

    /// The sizes of the weight as a matrix.
    const fn spectral(&self, inputs: &[Shape]) -> Spectral {
        let rest = self.group_channels(inputs[0]).saturating_mul(self.kernel);
        Spectral { outputs: self.out_channels, rest, params: self.params(inputs) }
    }

    /// The same without normalisation.
    const fn plain(&self) -> Conv1d {
        let Self { out_channels, kernel, stride, padding, dilation, groups, bias, .. } = *self;
        Conv1d { out_channels, kernel, stride, padding, dilation, groups, bias }
    }
}

/// The row of `SNConv1d`.
pub static ROW: Row = Row {
    name: "SNConv1d",
    stem: "sn_conv1d",
    summary: "1D convolution over steps with spectral normalisation",
    parameters: SNConv1d::PARAMETERS,
    positional: 2,
    rule: |inputs, values| SNConv1d::from_values(values).output(inputs),
    params: Some(|inputs, values| SNConv1d::from_values(values).params(inputs)),
    buffers: Some(|inputs, values| SNConv1d::from_values(values).buffers(inputs)),
    tensors: Some(|inputs, values, sink| SNConv1d::from_values(values).tensors(inputs, sink)),
    how: Some(|inputs, values| SNConv1d::from_values(values).how(inputs)),
    macs: Some(|inputs, values| SNConv1d::from_values(values).macs(inputs)),
    sizes: &[
        Size::Argument("out_channels"),
        Size::Computed("group_channels"),
        Size::Argument("kernel"),
        Size::Unless("bias"),
    ],
    computed: &[|inputs, values| SNConv1d::from_values(values).group_channels(inputs[0])],
    flows: Flows { leading: Flow::Compute, last: Flow::Argument("out_channels"), keeps_rank: true },
    needs: Needs::INPUT,
    steps: Steps::Kernel,
    channels: Channels::First,
    streaming: Streaming::CarriesIf(|values| SNConv1d::from_values(values).streams()),
    several_phases: true,
    role: Role::Convolution,
    ..Row::BASE
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Blame;
    use crate::error::testing::refusal;

    const INPUT: Shape = Shape::new(&[20, 8]);
    const LAYER: SNConv1d = SNConv1d {
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
    fn has_the_counts_of_pytorch() {
        const OUTPUT: Shape = crate::error::expect(LAYER.output(&[INPUT]), "it", "");
        assert_eq!(OUTPUT, Shape::new(&[20, 16]));
        // sum(p.numel() for p in spectral_norm(nn.Conv1d(8, 16, 3)).parameters())
        assert_eq!(LAYER.params(&[INPUT]), 400);
        // .. and of the buffers
        assert_eq!(LAYER.buffers(&[INPUT]), 40);
        assert_eq!(LAYER.macs(&[INPUT]), 20 * 16 * 3 * 8);
        assert!(LAYER.streams() && !SNConv1d { stride: 2, ..LAYER }.streams());
    }

    #[test]
    fn refuses_what_a_convolution_refuses() {
        let (blame, _) = refusal(SNConv1d { kernel: 0, ..LAYER }.output(&[INPUT]));
        assert_eq!(blame, Blame::Argument("kernel"));
    }
}
