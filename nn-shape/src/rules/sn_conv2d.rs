//! `SNConv2d`: a `Conv2d` with spectral normalisation (Miyato et al., 2018), PyTorch's `spectral_norm(nn.Conv2d(..))`.

use crate::arguments::Padding;
use crate::arguments::arguments;
use crate::error::ShapeError;
use crate::role::Role;
use crate::row::{Channels, Flow, Flows, Needs, Row, Size, Steps};
use crate::rules::conv2d::Conv2d;
pub use crate::rules::spectral_norm::Names;
use crate::rules::spectral_norm::Spectral;
use crate::rules::window::Window;
use crate::shape::Shape;
use crate::tensors::TensorSink;
use crate::text::Text;

arguments! {
    /// A convolution over height and width with weights `w / sigma`, where `sigma` approximates the largest singular
    /// value of the weights as a matrix with a row for each output. Each forward pass in training makes one power iteration.
    /// Where all weights are 0, all outputs are NaN, as in PyTorch.
    pub struct SNConv2d {
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
        /// The names of `w`, `u` and `v` in files: `parametrizations.weight.original`, `parametrizations.weight.0._u` and `_v`
        /// (`parametrizations`), or `weight_orig`, `weight_u` and `weight_v` (`weight_orig`).
        names: Word(Names) = Names::Parametrizations,
    }
}

impl SNConv2d {
    /// `[H, W, C] -> [H', W', out_channels]`, as `Conv2d`.
    ///
    /// # Errors
    /// Those of `Conv2d`.
    pub const fn output(&self, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        self.plain().output(inputs)
    }

    /// The number of trained parameters, as of a `Conv2d`.
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

    /// How the output's height and width are computed.
    #[must_use]
    pub const fn how(&self, inputs: &[Shape]) -> Text {
        self.plain().how(inputs)
    }

    /// The window of the kernel, over an input of this shape.
    #[must_use]
    pub const fn window(&self, input: Shape) -> Window {
        self.plain().window(input)
    }

    /// The number of input channels of one group. The rule refuses 0 groups.
    #[must_use]
    pub const fn group_channels(&self, input: Shape) -> usize {
        self.plain().group_channels(input)
    }

    /// The sizes of the weight as a matrix.
    const fn spectral(&self, inputs: &[Shape]) -> Spectral {
        let [height, width] = self.kernel;
        let taps = height.saturating_mul(width);
        let rest = self.group_channels(inputs[0]).saturating_mul(taps);
        Spectral { outputs: self.out_channels, rest, params: self.params(inputs) }
    }

    /// The same without normalisation.
    const fn plain(&self) -> Conv2d {
        let Self { out_channels, kernel, stride, padding, dilation, groups, bias, .. } = *self;
        Conv2d { out_channels, kernel, stride, padding, dilation, groups, bias }
    }
}

/// The row of `SNConv2d`.
pub static ROW: Row = Row {
    name: "SNConv2d",
    stem: "sn_conv2d",
    summary: "2D convolution over height and width with spectral normalisation",
    parameters: SNConv2d::PARAMETERS,
    positional: 2,
    rule: |inputs, values| SNConv2d::from_values(values).output(inputs),
    params: Some(|inputs, values| SNConv2d::from_values(values).params(inputs)),
    buffers: Some(|inputs, values| SNConv2d::from_values(values).buffers(inputs)),
    tensors: Some(|inputs, values, sink| SNConv2d::from_values(values).tensors(inputs, sink)),
    how: Some(|inputs, values| SNConv2d::from_values(values).how(inputs)),
    macs: Some(|inputs, values| SNConv2d::from_values(values).macs(inputs)),
    sizes: &[
        Size::Argument("out_channels"),
        Size::Computed("group_channels"),
        Size::ArgumentAxis("kernel", 0),
        Size::ArgumentAxis("kernel", 1),
        Size::Unless("bias"),
    ],
    computed: &[|inputs, values| SNConv2d::from_values(values).group_channels(inputs[0])],
    flows: Flows { leading: Flow::Compute, last: Flow::Argument("out_channels"), keeps_rank: true },
    needs: Needs::INPUT,
    steps: Steps::All,
    channels: Channels::First,
    several_phases: true,
    role: Role::Convolution,
    ..Row::BASE
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Blame;
    use crate::error::testing::refusal;

    const INPUT: Shape = Shape::new(&[8, 8, 16]);
    const LAYER: SNConv2d = SNConv2d {
        out_channels: 32,
        kernel: [3; 2],
        stride: [1; 2],
        padding: Padding::Same,
        dilation: [1; 2],
        groups: 1,
        bias: true,
        names: Names::Parametrizations,
    };

    #[test]
    fn has_the_counts_of_pytorch() {
        const OUTPUT: Shape = crate::error::expect(LAYER.output(&[INPUT]), "it", "");
        assert_eq!(OUTPUT, Shape::new(&[8, 8, 32]));
        // sum(p.numel() for p in spectral_norm(nn.Conv2d(16, 32, 3)).parameters())
        assert_eq!(LAYER.params(&[INPUT]), 4640);
        // .. and of the buffers
        assert_eq!(LAYER.buffers(&[INPUT]), 176);
        assert_eq!(LAYER.macs(&[INPUT]), 64 * 32 * 16 * 9);
    }

    #[test]
    fn refuses_what_a_convolution_refuses() {
        let (blame, _) = refusal(SNConv2d { groups: 5, ..LAYER }.output(&[INPUT]));
        assert_eq!(blame, Blame::Argument("groups"));
    }
}
