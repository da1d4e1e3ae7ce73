//! `BatchNorm`: PyTorch's `nn.BatchNorm1d`, `nn.BatchNorm2d` and `nn.BatchNorm3d`, channels last.

use crate::arguments::arguments;
use crate::error::ShapeError;
use crate::fusion::Fusion;
use crate::role::Role;
use crate::row::{Features, Needs, Row, Size, Steps};
use crate::rules::helpers::{attempt, eps, real};
use crate::shape::Shape;
use crate::tensors::{LayerAxis, TensorSink};

arguments! {
    /// `(x - mean) / sqrt(variance + eps) * weight + bias`, channel by channel. In training mean
    /// and variance are the batch's (over all axes but the last), in inference running averages.
    pub struct BatchNorm {
        /// The fraction of the running averages that each batch replaces, as in PyTorch.
        momentum: Real = 0.1,
        /// A small number that keeps the divisor above 0.
        eps: Real = 1e-5,
        /// Whether there are a weight and a bias.
        affine: Flag = true,
    }
}

impl BatchNorm {
    /// `[.., C] -> [.., C]`
    ///
    /// # Errors
    /// When `momentum` is outside of 0 to 1, or `eps` not above 0.
    pub const fn output(&self, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        let allowed = self.momentum >= 0.0 && self.momentum <= 1.0;
        attempt!(real("momentum", self.momentum, allowed, "a number from 0 to 1"));
        attempt!(eps(self.eps));
        Ok(inputs[0])
    }

    /// The number of trained parameters: a weight and a bias for each channel.
    #[must_use]
    pub const fn params(&self, inputs: &[Shape]) -> usize {
        if self.affine { 2 * inputs[0].last() } else { 0 }
    }

    /// The tensors of its weights in files.
    pub fn tensors(&self, inputs: &[Shape], sink: &mut TensorSink<'_>) {
        let (len, affine) = (inputs[0].last(), self.params(inputs));
        let channels = [LayerAxis::inputs(len, 1)];
        if self.affine {
            sink.floats("weight", 0, &channels);
            sink.floats("bias", len, &channels);
        }
        sink.floats("running_mean", affine, &channels);
        sink.floats("running_var", affine + len, &channels);
        sink.counter("num_batches_tracked", affine + 2 * len);
    }

    /// Stored elements that are not trained: running mean and variance of each channel, and the number of
    /// training steps so far.
    #[must_use]
    pub const fn buffers(&self, inputs: &[Shape]) -> usize {
        2 * inputs[0].last() + 1
    }

    /// Multiply-adds of one sample in inference: one scale and shift per element.
    #[must_use]
    pub const fn macs(&self, inputs: &[Shape]) -> usize {
        inputs[0].len()
    }
}

/// The row of `BatchNorm`.
pub static ROW: Row = Row {
    name: "BatchNorm",
    stem: "batch_norm",
    summary: "normalisation of each channel over the batch",
    parameters: BatchNorm::PARAMETERS,
    rule: |inputs, values| BatchNorm::from_values(values).output(inputs),
    params: Some(|inputs, values| BatchNorm::from_values(values).params(inputs)),
    tensors: Some(|inputs, values, sink| BatchNorm::from_values(values).tensors(inputs, sink)),
    buffers: Some(|inputs, values| BatchNorm::from_values(values).buffers(inputs)),
    macs: Some(|inputs, values| BatchNorm::from_values(values).macs(inputs)),
    sizes: &[Size::InputLast, Size::Unless("affine")],
    needs: Needs::INPUT,
    several_phases: true,
    features: Features::Same,
    steps: Steps::Valid,
    fusion: Fusion::Normalization,
    role: Role::ChannelNorm,
    ..Row::BASE
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Blame;
    use crate::error::testing::refusal;

    const DEFAULT: BatchNorm = BatchNorm { momentum: 0.1, eps: 1e-5, affine: true };

    #[test]
    fn keeps_the_shape_and_counts_its_numbers() {
        const INPUT: Shape = Shape::new(&[32, 32, 16]);
        const OUTPUT: Shape = crate::error::expect(DEFAULT.output(&[INPUT]), "BatchNorm", "");
        assert_eq!(OUTPUT, INPUT);
        assert_eq!(DEFAULT.params(&[INPUT]), 32);
        assert_eq!(BatchNorm { affine: false, ..DEFAULT }.params(&[INPUT]), 0);
        assert_eq!(DEFAULT.buffers(&[INPUT]), 33);
        assert_eq!(DEFAULT.macs(&[INPUT]), 16_384);
    }

    #[test]
    fn refuses_a_momentum_above_1() {
        let layer = BatchNorm { momentum: 1.5, ..DEFAULT };
        let (blame, words) = refusal(layer.output(&[Shape::new(&[10])]));
        assert_eq!(blame, Blame::Argument("momentum"));
        assert_eq!(words, "layer `it` has `momentum = 1.5`, but needs a number from 0 to 1");
    }

    #[test]
    fn refuses_an_eps_of_0() {
        let layer = BatchNorm { eps: 0.0, ..DEFAULT };
        let (blame, words) = refusal(layer.output(&[Shape::new(&[10])]));
        assert_eq!(blame, Blame::Argument("eps"));
        assert_eq!(words, "layer `it` has `eps = 0`, but needs a finite number above 0");
    }
}
