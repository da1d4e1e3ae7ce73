//! `LayerNorm`: PyTorch's `nn.LayerNorm` of the last axis.

use crate::arguments::arguments;
use crate::error::ShapeError;
use crate::row::{Features, Needs, Row, Size};
use crate::rules::helpers::{attempt, eps};
use crate::shape::Shape;
use crate::tensors::{LayerAxis, TensorSink};

arguments! {
    /// `(x - mean) / sqrt(variance + eps) * weight + bias`, where mean and variance are those of the
    /// last axis: of each step of a sequence, of each pixel, by itself.
    pub struct LayerNorm {
        /// A small number that keeps the divisor above 0.
        eps: Real = 1e-5,
        /// Whether there is a weight for each feature.
        affine: Flag = true,
        /// Whether there is a bias for each feature, too.
        bias: Flag = true,
    }
}

impl LayerNorm {
    /// `[.., C] -> [.., C]`
    ///
    /// # Errors
    /// When `eps` is not above 0.
    pub const fn output(&self, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        attempt!(eps(self.eps));
        Ok(inputs[0])
    }

    /// The number of trained parameters: a weight and a bias for each feature.
    #[must_use]
    pub const fn params(&self, inputs: &[Shape]) -> usize {
        match (self.affine, self.bias) {
            (true, true) => 2 * inputs[0].last(),
            (true, false) => inputs[0].last(),
            (false, _) => 0,
        }
    }

    /// The tensors of its weights in files.
    pub fn tensors(&self, inputs: &[Shape], sink: &mut TensorSink<'_>) {
        let features = [LayerAxis::inputs(inputs[0].last(), 1)];
        if self.affine {
            sink.floats("weight", 0, &features);
        }
        if self.affine && self.bias {
            sink.floats("bias", features[0].len, &features);
        }
    }

    /// Multiply-adds of one sample: one scale and shift per element.
    #[must_use]
    pub const fn macs(&self, inputs: &[Shape]) -> usize {
        inputs[0].len()
    }
}

/// The row of `LayerNorm`.
pub static ROW: Row = Row {
    name: "LayerNorm",
    stem: "layer_norm",
    summary: "normalisation over the features of each step or pixel",
    parameters: LayerNorm::PARAMETERS,
    rule: |inputs, values| LayerNorm::from_values(values).output(inputs),
    params: Some(|inputs, values| LayerNorm::from_values(values).params(inputs)),
    tensors: Some(|inputs, values, sink| LayerNorm::from_values(values).tensors(inputs, sink)),
    macs: Some(|inputs, values| LayerNorm::from_values(values).macs(inputs)),
    sizes: &[Size::InputLastIf(&["affine"]), Size::InputLastIf(&["affine", "bias"])],
    needs: Needs::INPUT,
    features: Features::Same,
    ..Row::BASE
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Blame;
    use crate::error::testing::refusal;

    const DEFAULT: LayerNorm = LayerNorm { eps: 1e-5, affine: true, bias: true };

    #[test]
    fn keeps_the_shape_and_counts_its_numbers() {
        const INPUT: Shape = Shape::new(&[64, 128]);
        const OUTPUT: Shape = crate::error::expect(DEFAULT.output(&[INPUT]), "LayerNorm", "");
        assert_eq!(OUTPUT, INPUT);
        assert_eq!(DEFAULT.params(&[INPUT]), 256);
        assert_eq!(LayerNorm { bias: false, ..DEFAULT }.params(&[INPUT]), 128);
        assert_eq!(LayerNorm { affine: false, ..DEFAULT }.params(&[INPUT]), 0);
        assert_eq!(DEFAULT.macs(&[INPUT]), 8192);
    }

    #[test]
    fn refuses_an_eps_of_0() {
        let layer = LayerNorm { eps: 0.0, ..DEFAULT };
        let (blame, words) = refusal(layer.output(&[Shape::new(&[10])]));
        assert_eq!(blame, Blame::Argument("eps"));
        assert_eq!(words, "layer `it` has `eps = 0`, but needs a finite number above 0");
    }
}
