//! `GroupNorm`: PyTorch's `nn.GroupNorm`, channels last.

use crate::arguments::arguments;
use crate::error::ShapeError;
use crate::row::{Needs, Row, Size, Steps, Streaming};
use crate::rules::helpers::{attempt, channel_tensors, count, divisors, eps};
use crate::shape::Shape;
use crate::tensors::TensorSink;
use crate::text::Text;

arguments! {
    /// `(x - mean) / sqrt(variance + eps) * weight + bias`, where mean and variance are those of one
    /// group of a sample's channels, over all other axes.
    pub struct GroupNorm {
        /// The number of groups that the channels are split into.
        groups: Number,
        /// A small number that keeps the divisor above 0.
        eps: Real = 1e-5,
        /// Whether each channel has a weight and a bias.
        affine: Flag = true,
    }
}

impl GroupNorm {
    /// `[.., C] -> [.., C]`
    ///
    /// # Errors
    /// When `eps` is not above 0, the groups do not divide the channels, or a group has one element.
    pub const fn output(&self, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        let (input, groups) = (inputs[0], attempt!(count("groups", "groups", self.groups)));
        attempt!(eps(self.eps));
        let channels = input.last();
        if !channels.is_multiple_of(groups) {
            let message = Text::of("splits its input's channels into ").number(groups);
            let message = message.text(" groups, but ").number(channels);
            let message = message.text(" is not divisible by ").number(groups);
            let help = divisors(Text::of("write `groups` as "), channels);
            return Err(ShapeError::argument("groups", message).help(help));
        }
        match input.checked_len() {
            // As many groups as elements.
            Some(len) if len == groups => {
                let message =
                    Text::of("normalises groups of one element, whose variance is 0: it gets ");
                let message = message.shape(input).text(" and has ").number(groups);
                Err(ShapeError::argument("groups", message.text(" groups")))
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

/// The row of `GroupNorm`.
pub static ROW: Row = Row {
    name: "GroupNorm",
    stem: "group_norm",
    summary: "normalisation over groups of channels of each sample",
    parameters: GroupNorm::PARAMETERS,
    positional: 1,
    rule: |inputs, values| GroupNorm::from_values(values).output(inputs),
    params: Some(|inputs, values| GroupNorm::from_values(values).params(inputs)),
    tensors: Some(|inputs, values, sink| GroupNorm::from_values(values).tensors(inputs, sink)),
    macs: Some(|inputs, values| GroupNorm::from_values(values).macs(inputs)),
    sizes: &[Size::InputLastIf(&["affine"])],
    needs: Needs::INPUT,
    steps: Steps::Valid,
    streaming: Streaming::Whole,
    ..Row::BASE
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Blame;
    use crate::error::testing::refusal;

    const fn of(groups: usize) -> GroupNorm {
        GroupNorm { groups, eps: 1e-5, affine: true }
    }

    #[test]
    fn keeps_the_shape_and_counts_its_numbers() {
        const INPUT: Shape = Shape::new(&[32, 32, 16]);
        const OUTPUT: Shape = crate::error::expect(of(4).output(&[INPUT]), "GroupNorm", "");
        assert_eq!(OUTPUT, INPUT);
        assert_eq!(of(4).params(&[INPUT]), 32);
        assert_eq!(GroupNorm { affine: false, ..of(4) }.params(&[INPUT]), 0);
        assert_eq!(of(1).output(&[Shape::new(&[5])]).unwrap(), Shape::new(&[5]));
    }

    #[test]
    fn refuses_groups_that_do_not_divide_the_channels() {
        let (blame, words) = refusal(of(5).output(&[Shape::new(&[8, 8, 12])]));
        assert_eq!(blame, Blame::Argument("groups"));
        assert_eq!(
            words,
            "layer `it` splits its input's channels into 5 groups, but 12 is not divisible by 5\n  \
             = help: write `groups` as 1, 2, 3, 4, 6 or 12"
        );
    }

    #[test]
    fn refuses_groups_of_one_number() {
        let (blame, words) = refusal(of(12).output(&[Shape::new(&[1, 1, 12])]));
        assert_eq!(blame, Blame::Argument("groups"));
        assert_eq!(
            words,
            "layer `it` normalises groups of one element, whose variance is 0: it gets 1x1x12 and has 12 groups"
        );
        assert!(of(12).output(&[Shape::new(&[2, 1, 12])]).is_ok());
    }

    #[test]
    fn refuses_0_groups() {
        let (blame, words) = refusal(of(0).output(&[Shape::new(&[8, 8, 12])]));
        assert_eq!(blame, Blame::Argument("groups"));
        assert_eq!(words, "layer `it` has 0 groups, but needs at least 1");
    }
}
