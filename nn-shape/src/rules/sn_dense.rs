//! `SNDense`: a `Dense` with spectral normalisation (Miyato et al., 2018), PyTorch's `spectral_norm(nn.Linear(..))`.

use crate::arguments::arguments;
use crate::error::ShapeError;
use crate::role::Role;
use crate::row::{Channels, Features, Flow, Flows, Needs, Row, Size};
use crate::rules::dense::Dense;
pub use crate::rules::spectral_norm::Names;
use crate::rules::spectral_norm::Spectral;
use crate::shape::Shape;
use crate::tensors::TensorSink;

arguments! {
    /// A fully connected layer on the last axis with weights `w / sigma`, where `sigma` approximates the largest singular
    /// value of the weights as a matrix with a row for each output. Each forward pass in training makes one power iteration.
    /// Where all weights are 0, all outputs are NaN, as in PyTorch.
    pub struct SNDense {
        /// The number of outputs.
        units: Number,
        /// Whether a bias is added.
        bias: Flag = true,
        /// The names of `w`, `u` and `v` in files: `parametrizations.weight.original`, `parametrizations.weight.0._u` and `_v`
        /// (`parametrizations`), or `weight_orig`, `weight_u` and `weight_v` (`weight_orig`).
        names: Word(Names) = Names::Parametrizations,
    }
}

impl SNDense {
    /// `[.., IN] -> [.., units]`
    ///
    /// # Errors
    /// When `units` is 0, or the sizes are too large.
    pub const fn output(&self, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        self.plain().output(inputs)
    }

    /// The number of trained parameters, as of a `Dense`.
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

    /// The sizes of the weight as a matrix.
    const fn spectral(&self, inputs: &[Shape]) -> Spectral {
        Spectral { outputs: self.units, rest: inputs[0].last(), params: self.params(inputs) }
    }

    /// The same without normalisation.
    const fn plain(&self) -> Dense {
        let Self { units, bias, .. } = *self;
        Dense { units, bias, weight: None }
    }
}

/// The row of `SNDense`.
pub static ROW: Row = Row {
    name: "SNDense",
    stem: "sn_dense",
    summary: "fully connected layer with spectral normalisation",
    parameters: SNDense::PARAMETERS,
    positional: 1,
    rule: |inputs, values| SNDense::from_values(values).output(inputs),
    params: Some(|inputs, values| SNDense::from_values(values).params(inputs)),
    buffers: Some(|inputs, values| SNDense::from_values(values).buffers(inputs)),
    tensors: Some(|inputs, values, sink| SNDense::from_values(values).tensors(inputs, sink)),
    macs: Some(|inputs, values| SNDense::from_values(values).macs(inputs)),
    sizes: &[Size::InputLast, Size::Argument("units"), Size::Unless("bias")],
    flows: Flows { leading: Flow::Keep, last: Flow::Argument("units"), keeps_rank: true },
    needs: Needs::INPUT,
    channels: Channels::Last,
    features: Features::Any,
    several_phases: true,
    role: Role::Dense,
    ..Row::BASE
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Blame;
    use crate::error::testing::refusal;
    use std::string::{String, ToString};
    use std::vec::Vec;

    const LAYER: SNDense = SNDense { units: 5, bias: true, names: Names::Parametrizations };
    const INPUT: Shape = Shape::new(&[3, 7]);

    #[test]
    fn has_the_counts_of_pytorch() {
        const OUTPUT: Shape = crate::error::expect(LAYER.output(&[INPUT]), "it", "");
        assert_eq!(OUTPUT, Shape::new(&[3, 5]));
        // sum(p.numel() for p in spectral_norm(nn.Linear(7, 5)).parameters())
        assert_eq!(LAYER.params(&[INPUT]), 40);
        assert_eq!(SNDense { bias: false, ..LAYER }.params(&[INPUT]), 35);
        // .. and of the buffers
        assert_eq!(LAYER.buffers(&[INPUT]), 12);
        assert_eq!(LAYER.macs(&[INPUT]), 3 * 7 * 5);
    }

    #[test]
    fn files_have_the_names_of_both_functions_of_pytorch() {
        let tensors = |names| {
            let mut tensors: Vec<(String, usize, Vec<usize>)> = Vec::new();
            let mut receive = |tensor: crate::tensors::LayerTensor<'_>| {
                let shape = tensor.axes.iter().map(|axis| axis.len).collect();
                tensors.push((tensor.name.to_string(), tensor.offset, shape));
            };
            SNDense { names, ..LAYER }.tensors(&[INPUT], &mut TensorSink::new(&mut receive));
            tensors
        };
        let expected = |[weight, u, v]: [&str; 3]| {
            let [weight, bias] = [(weight, 0, &[5, 7][..]), ("bias", 35, &[5])];
            [weight, (u, 40, &[5]), (v, 45, &[7]), bias]
                .map(|(name, offset, shape)| (name.to_string(), offset, shape.to_vec()))
        };
        let weight = "parametrizations.weight";
        let [w, u, v] = ["original", "0._u", "0._v"].map(|name| std::format!("{weight}.{name}"));
        assert_eq!(tensors(Names::Parametrizations), expected([&w, &u, &v]));
        assert_eq!(tensors(Names::WeightOrig), expected(["weight_orig", "weight_u", "weight_v"]));
    }

    #[test]
    fn refuses_what_a_dense_layer_refuses() {
        let (blame, words) = refusal(SNDense { units: 0, ..LAYER }.output(&[INPUT]));
        assert_eq!(blame, Blame::Argument("units"));
        assert_eq!(words, "layer `it` has 0 units, but needs at least 1");
    }
}
