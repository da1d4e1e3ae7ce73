//! `PositionalEmbedding`: PyTorch's `nn.Embedding` of step indices, added to the input.

use crate::arguments::arguments;
use crate::error::ShapeError;
use crate::role::Role;
use crate::row::{Row, Size, Streaming};
use crate::rules::helpers::attempt;
use crate::rules::recurrent::sequence;
use crate::shape::Shape;
use crate::tensors::{LayerAxis, TensorSink};

arguments! {
    /// Adds a trained vector to each step, so that later layers can tell positions apart.
    pub struct PositionalEmbedding {}
}

impl PositionalEmbedding {
    /// `[T, C] -> [T, C]`
    ///
    /// # Errors
    /// When the input has another rank.
    pub const fn output(&self, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        attempt!(sequence(inputs[0]));
        Ok(inputs[0])
    }

    /// The number of trained parameters: a vector for each step.
    #[must_use]
    pub const fn params(&self, inputs: &[Shape]) -> usize {
        inputs[0].len()
    }

    /// The tensors of its weights in files.
    pub fn tensors(&self, inputs: &[Shape], sink: &mut TensorSink<'_>) {
        let (steps, features) = (inputs[0].dim(0), inputs[0].last());
        let axes = [LayerAxis::plain(steps, features), LayerAxis::plain(features, 1)];
        sink.floats("weight", 0, &axes);
    }

    /// The number of steps.
    #[must_use]
    pub const fn steps(&self, input: Shape) -> usize {
        input.dim(0)
    }
}

/// The row of `PositionalEmbedding`.
pub static ROW: Row = Row {
    name: "PositionalEmbedding",
    stem: "positional_embedding",
    summary: "adds a trained vector to each step",
    rule: |inputs, values| PositionalEmbedding::from_values(values).output(inputs),
    params: Some(|inputs, values| PositionalEmbedding::from_values(values).params(inputs)),
    tensors: Some(|inputs, values, sink| {
        PositionalEmbedding::from_values(values).tensors(inputs, sink)
    }),
    sizes: &[Size::Computed("steps"), Size::InputLast],
    computed: &[|inputs, values| PositionalEmbedding::from_values(values).steps(inputs[0])],
    streaming: Streaming::CarriesIf(|_| true),
    role: Role::Positions,
    ..Row::BASE
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Blame;
    use crate::error::testing::refusal;

    #[test]
    fn keeps_the_shape() {
        const INPUT: Shape = Shape::new(&[64, 32]);
        const OUTPUT: Shape = crate::error::expect(
            PositionalEmbedding {}.output(&[INPUT]),
            "PositionalEmbedding",
            "",
        );
        assert_eq!(OUTPUT, INPUT);
        assert_eq!(PositionalEmbedding {}.params(&[INPUT]), 2048);
    }

    #[test]
    fn refuses_an_image() {
        let (blame, _) = refusal(PositionalEmbedding {}.output(&[Shape::new(&[28, 28, 1])]));
        assert_eq!(blame, Blame::Layer);
    }
}
