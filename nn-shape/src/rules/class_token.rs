//! `ClassToken`: the trained first step of vision transformers (Dosovitskiy et al., 2021), `torch.cat` in PyTorch.

use crate::arguments::arguments;
use crate::checks::at_most;
use crate::error::ShapeError;
use crate::row::{Channels, Flow, Flows, Row, Size, Steps};
use crate::rules::helpers::attempt;
use crate::rules::recurrent::sequence;
use crate::shape::Shape;
use crate::tensors::{LayerAxis, TensorSink};

arguments! {
    /// Puts a trained step before the first one, from whose output later layers classify.
    pub struct ClassToken {}
}

impl ClassToken {
    /// `[T, C] -> [T + 1, C]`
    ///
    /// # Errors
    /// When the input has another rank.
    pub const fn output(&self, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        let input = inputs[0];
        attempt!(sequence(input));
        at_most(Shape::new(&[input.dim(0).saturating_add(1), input.last()]), "gives ")
    }

    /// The weights in files: one step of one sample.
    pub fn tensors(&self, inputs: &[Shape], sink: &mut TensorSink<'_>) {
        let width = inputs[0].last();
        let [sample, step] = [LayerAxis::plain(1, width); 2];
        sink.floats("", 0, &[sample, step, LayerAxis::plain(width, 1)]);
    }

    /// The number of trained parameters: one step.
    #[must_use]
    pub const fn params(&self, inputs: &[Shape]) -> usize {
        inputs[0].last()
    }
}

/// The row of `ClassToken`.
pub static ROW: Row = Row {
    name: "ClassToken",
    stem: "class_token",
    summary: "a trained step before the first one",
    rule: |inputs, values| ClassToken::from_values(values).output(inputs),
    params: Some(|inputs, values| ClassToken::from_values(values).params(inputs)),
    tensors: Some(|inputs, values, sink| ClassToken::from_values(values).tensors(inputs, sink)),
    sizes: &[Size::InputLast],
    flows: Flows { leading: Flow::Compute, last: Flow::Keep, keeps_rank: true },
    steps: Steps::All,
    channels: Channels::Last,
    ..Row::BASE
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Blame;
    use crate::error::testing::refusal;

    #[test]
    fn adds_a_step() {
        const INPUT: Shape = Shape::new(&[196, 192]);
        const OUTPUT: Shape =
            crate::error::expect(ClassToken {}.output(&[INPUT]), "ClassToken", "");
        assert_eq!(OUTPUT, Shape::new(&[197, 192]));
        assert_eq!(ClassToken {}.params(&[INPUT]), 192);
    }

    #[test]
    fn refuses_an_image() {
        let (blame, _) = refusal(ClassToken {}.output(&[Shape::new(&[28, 28, 1])]));
        assert_eq!(blame, Blame::Layer);
    }
}
