//! `InstanceNorm`: PyTorch's `nn.InstanceNorm1d`, `nn.InstanceNorm2d` and `nn.InstanceNorm3d`, channels last.

use crate::arguments::arguments;
use crate::error::ShapeError;
use crate::role::Role;
use crate::row::{Needs, Row, Size, Steps, Streaming};
use crate::rules::helpers::{attempt, channel_tensors, eps};
use crate::shape::Shape;
use crate::tensors::TensorSink;
use crate::text::Text;

arguments! {
    /// `(x - mean) / sqrt(variance + eps)`, where mean and variance are those of one channel of a sample.
    pub struct InstanceNorm {
        /// A small number that keeps the divisor above 0.
        eps: Real = 1e-5,
        /// Whether each channel has a weight and a bias.
        affine: Flag = false,
    }
}

impl InstanceNorm {
    /// `[.., C] -> [.., C]`
    ///
    /// # Errors
    /// When `eps` is not above 0, or a channel has one element.
    pub const fn output(&self, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        let input = inputs[0];
        attempt!(eps(self.eps));
        match input.with_last(1).checked_len() {
            Some(1) => {
                let message = Text::of(
                    "normalises each channel over height and width, or over steps, but gets ",
                );
                let help = Text::of("`LayerNorm` normalises over the features");
                Err(ShapeError::layer(message.shape(input)).help(help))
            }
            _ => Ok(input),
        }
    }

    /// The number of trained parameters: a weight and a bias for each channel.
    #[must_use]
    pub const fn params(&self, inputs: &[Shape]) -> usize {
        if self.affine { 2 * inputs[0].last() } else { 0 }
    }

    /// The tensors of its weights in files.
    pub fn tensors(&self, inputs: &[Shape], sink: &mut TensorSink<'_>) {
        if self.affine {
            channel_tensors(inputs[0].last(), sink);
        }
    }

    /// Multiply-adds of one sample: one scale and shift per element.
    #[must_use]
    pub const fn macs(&self, inputs: &[Shape]) -> usize {
        inputs[0].len()
    }
}

/// The row of `InstanceNorm`.
pub static ROW: Row = Row {
    name: "InstanceNorm",
    stem: "instance_norm",
    summary: "normalisation of each channel of each sample",
    parameters: InstanceNorm::PARAMETERS,
    rule: |inputs, values| InstanceNorm::from_values(values).output(inputs),
    params: Some(|inputs, values| InstanceNorm::from_values(values).params(inputs)),
    tensors: Some(|inputs, values, sink| InstanceNorm::from_values(values).tensors(inputs, sink)),
    macs: Some(|inputs, values| InstanceNorm::from_values(values).macs(inputs)),
    sizes: &[Size::InputLastIf(&["affine"])],
    needs: Needs::INPUT,
    steps: Steps::Valid,
    streaming: Streaming::Whole,
    role: Role::ChannelNorm,
    ..Row::BASE
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Blame;
    use crate::error::testing::refusal;

    const DEFAULT: InstanceNorm = InstanceNorm { eps: 1e-5, affine: false };

    #[test]
    fn keeps_the_shape_and_counts_its_numbers() {
        const INPUT: Shape = Shape::new(&[32, 32, 16]);
        const OUTPUT: Shape = crate::error::expect(DEFAULT.output(&[INPUT]), "InstanceNorm", "");
        assert_eq!(OUTPUT, INPUT);
        assert_eq!(DEFAULT.params(&[INPUT]), 0);
        assert_eq!(InstanceNorm { affine: true, ..DEFAULT }.params(&[INPUT]), 32);
    }

    #[test]
    fn refuses_channels_of_one_number() {
        for shape in [&[16][..], &[1, 16], &[1, 1, 16]] {
            let (blame, _) = refusal(DEFAULT.output(&[Shape::new(shape)]));
            assert_eq!(blame, Blame::Layer);
        }
        let (_, words) = refusal(DEFAULT.output(&[Shape::new(&[16])]));
        assert_eq!(
            words,
            "layer `it` normalises each channel over height and width, or over steps, but gets 16\n  \
             = help: `LayerNorm` normalises over the features"
        );
    }
}
