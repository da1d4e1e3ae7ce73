//! `RMSNorm`: PyTorch's `nn.RMSNorm` of the last axis.

use crate::arguments::arguments;
use crate::error::ShapeError;
use crate::row::{Features, Needs, Row, Size};
use crate::rules::helpers::{attempt, eps};
use crate::shape::Shape;
use crate::tensors::{LayerAxis, TensorSink};

arguments! {
    /// `x / sqrt(mean(x^2) + eps) * weight`, where the mean is that of the last axis: `LayerNorm` without
    /// subtracting the mean.
    pub struct RMSNorm {
        /// Keeps the divisor above 0; PyTorch's default for 32-bit floats.
        eps: Real = 1.192_092_9e-7,
        /// Whether there is a weight for each feature.
        affine: Flag = true,
    }
}

impl RMSNorm {
    /// `[.., C] -> [.., C]`
    ///
    /// # Errors
    /// When `eps` is not above 0.
    pub const fn output(&self, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        attempt!(eps(self.eps));
        Ok(inputs[0])
    }

    /// The number of trained parameters: a weight for each feature.
    #[must_use]
    pub const fn params(&self, inputs: &[Shape]) -> usize {
        if self.affine { inputs[0].last() } else { 0 }
    }

    /// The tensors of its weights in files.
    pub fn tensors(&self, inputs: &[Shape], sink: &mut TensorSink<'_>) {
        if self.affine {
            sink.floats("weight", 0, &[LayerAxis::inputs(inputs[0].last(), 1)]);
        }
    }

    /// Multiply-adds of one sample: one scale per element.
    #[must_use]
    pub const fn macs(&self, inputs: &[Shape]) -> usize {
        inputs[0].len()
    }
}

/// The row of `RMSNorm`.
pub static ROW: Row = Row {
    name: "RMSNorm",
    stem: "rms_norm",
    summary: "normalisation by the root mean square of the features of each step or pixel",
    parameters: RMSNorm::PARAMETERS,
    rule: |inputs, values| RMSNorm::from_values(values).output(inputs),
    params: Some(|inputs, values| RMSNorm::from_values(values).params(inputs)),
    tensors: Some(|inputs, values, sink| RMSNorm::from_values(values).tensors(inputs, sink)),
    macs: Some(|inputs, values| RMSNorm::from_values(values).macs(inputs)),
    sizes: &[Size::InputLastIf(&["affine"])],
    needs: Needs::INPUT,
    features: Features::Same,
    ..Row::BASE
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Blame;
    use crate::error::testing::refusal;

    #[test]
    fn keeps_the_shape_and_counts_its_numbers() {
        const INPUT: Shape = Shape::new(&[64, 128]);
        const LAYER: RMSNorm = RMSNorm { eps: 1e-6, affine: true };
        const OUTPUT: Shape = crate::error::expect(LAYER.output(&[INPUT]), "RMSNorm", "");
        assert_eq!(OUTPUT, INPUT);
        assert_eq!(LAYER.params(&[INPUT]), 128);
        assert_eq!(RMSNorm { affine: false, ..LAYER }.params(&[INPUT]), 0);
    }

    #[test]
    fn refuses_a_negative_eps() {
        let layer = RMSNorm { eps: -1.0, affine: true };
        let (blame, words) = refusal(layer.output(&[Shape::new(&[10])]));
        assert_eq!(blame, Blame::Argument("eps"));
        assert_eq!(words, "layer `it` has `eps = -1`, but needs a finite number above 0");
    }
}
