//! `WNDense`: a `Dense` with weight normalisation (Salimans and Kingma, 2016), PyTorch's `weight_norm(nn.Linear(..))`.

use crate::arguments::arguments;
use crate::error::ShapeError;
use crate::role::Role;
use crate::row::{Channels, Features, Flow, Flows, Needs, Row, Size};
use crate::rules::dense::Dense;
pub use crate::rules::weight_norm::Names;
use crate::shape::Shape;
use crate::tensors::TensorSink;

arguments! {
    /// A fully connected layer on the last axis with weights `g * v / ||v||`, where the norm is that of all weights of one
    /// output. Where they are all 0, that output is NaN, as in PyTorch.
    pub struct WNDense {
        /// The number of outputs.
        units: Number,
        /// Whether a bias is added.
        bias: Flag = true,
        /// The names of `g` and `v` in files: `parametrizations.weight.original0` and `original1` (`parametrizations`), or
        /// `weight_g` and `weight_v` (`weight_g`).
        names: Word(Names) = Names::Parametrizations,
    }
}

impl WNDense {
    /// `[.., IN] -> [.., units]`
    ///
    /// # Errors
    /// When `units` is 0, or the sizes are too large.
    pub const fn output(&self, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        self.plain().output(inputs)
    }

    /// The number of trained parameters: those of a `Dense`, and `g` for each output.
    #[must_use]
    pub const fn params(&self, inputs: &[Shape]) -> usize {
        self.plain().params(inputs) + self.units
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

    /// The same without normalisation.
    const fn plain(&self) -> Dense {
        let Self { units, bias, .. } = *self;
        Dense { units, bias, weight: None }
    }
}

/// The row of `WNDense`.
pub static ROW: Row = Row {
    name: "WNDense",
    stem: "wn_dense",
    summary: "fully connected layer with weight normalisation",
    parameters: WNDense::PARAMETERS,
    positional: 1,
    rule: |inputs, values| WNDense::from_values(values).output(inputs),
    params: Some(|inputs, values| WNDense::from_values(values).params(inputs)),
    tensors: Some(|inputs, values, sink| WNDense::from_values(values).tensors(inputs, sink)),
    macs: Some(|inputs, values| WNDense::from_values(values).macs(inputs)),
    sizes: &[Size::InputLast, Size::Argument("units"), Size::Unless("bias")],
    flows: Flows { leading: Flow::Keep, last: Flow::Argument("units"), keeps_rank: true },
    needs: Needs::INPUT,
    channels: Channels::Last,
    features: Features::Any,
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

    const LAYER: WNDense = WNDense { units: 5, bias: true, names: Names::Parametrizations };
    const INPUT: Shape = Shape::new(&[3, 7]);

    #[test]
    fn is_a_dense_layer_with_a_gain() {
        const OUTPUT: Shape = crate::error::expect(LAYER.output(&[INPUT]), "it", "");
        assert_eq!(OUTPUT, Shape::new(&[3, 5]));
        // sum(p.numel() for p in weight_norm(nn.Linear(7, 5)).parameters())
        assert_eq!(LAYER.params(&[INPUT]), 45);
        assert_eq!(WNDense { bias: false, ..LAYER }.params(&[INPUT]), 40);
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
            WNDense { names, ..LAYER }.tensors(&[INPUT], &mut TensorSink::new(&mut receive));
            tensors
        };
        let expected = |g: &str, v: &str| {
            let bias = ("bias".into(), 35, [5].to_vec());
            [(g.into(), 40, [5, 1].to_vec()), (v.into(), 0, [5, 7].to_vec()), bias]
        };
        let weight = "parametrizations.weight.original";
        let [g, v] = [0, 1].map(|nth| std::format!("{weight}{nth}"));
        assert_eq!(tensors(Names::Parametrizations), expected(&g, &v));
        assert_eq!(tensors(Names::WeightG), expected("weight_g", "weight_v"));
    }

    #[test]
    fn refuses_what_a_dense_layer_refuses() {
        let (blame, words) = refusal(WNDense { units: 0, ..LAYER }.output(&[INPUT]));
        assert_eq!(blame, Blame::Argument("units"));
        assert_eq!(words, "layer `it` has 0 units, but needs at least 1");
    }
}
