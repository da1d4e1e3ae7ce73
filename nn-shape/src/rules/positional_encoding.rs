//! `PositionalEncoding`: the sine waves of Vaswani et al. (2017).

use crate::arguments::arguments;
use crate::error::ShapeError;
use crate::role::Role;
use crate::row::{Row, Streaming};
use crate::rules::helpers::attempt;
use crate::rules::recurrent::sequence;
use crate::shape::Shape;

arguments! {
    /// Adds sine and cosine waves of many lengths to the features, so that later layers can tell positions
    /// apart: `sin(t / 10000^(2i/C))` to feature `2i` of step `t`, `cos` of the same to feature `2i + 1`.
    pub struct PositionalEncoding {}
}

impl PositionalEncoding {
    /// `[T, C] -> [T, C]`
    ///
    /// # Errors
    /// When the input has another rank.
    pub const fn output(&self, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        attempt!(sequence(inputs[0]));
        Ok(inputs[0])
    }
}

/// The row of `PositionalEncoding`.
pub static ROW: Row = Row {
    name: "PositionalEncoding",
    stem: "positional_encoding",
    summary: "adds sinusoidal position encodings to each step",
    rule: |inputs, values| PositionalEncoding::from_values(values).output(inputs),
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
        const OUTPUT: Shape =
            crate::error::expect(PositionalEncoding {}.output(&[INPUT]), "PositionalEncoding", "");
        assert_eq!(OUTPUT, INPUT);
    }

    #[test]
    fn refuses_flat_values() {
        let (blame, words) = refusal(PositionalEncoding {}.output(&[Shape::new(&[1600])]));
        assert_eq!(blame, Blame::Layer);
        assert_eq!(
            words,
            "layer `it` takes steps x features, but gets 1600\n  \
             = help: write a sequence of one feature per step as `1600x1`"
        );
    }
}
