//! `Sub`: PyTorch's `a - b`, for two or more branches.

use crate::arguments::arguments;
use crate::error::ShapeError;
use crate::row::{Features, Inputs, Row};
use crate::rules::helpers::{attempt, branches, broadcast};
use crate::shape::Shape;

arguments! {
    /// The first branch minus all others, element by element. A branch of shape `[C]` or `[1, .., C]` is
    /// subtracted from the channels of the first.
    pub struct Sub {}
}

impl Sub {
    /// `[.., C], [.., C] or [C] or [1, .., C], .. -> [.., C]`
    ///
    /// # Errors
    /// When a branch has neither the shape of the first nor its channels alone, or there is one branch only.
    pub const fn output(&self, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        attempt!(branches("subtracts", inputs));
        broadcast("subtracts", "shift", inputs)
    }
}

/// The row of `Sub`.
pub static ROW: Row = Row {
    name: "Sub",
    stem: "sub",
    summary: "first branch minus all others, with channels broadcast",
    inputs: Inputs::Branches,
    rule: |inputs, values| Sub::from_values(values).output(inputs),
    features: Features::Same,
    ..Row::BASE
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Blame;
    use crate::error::testing::refusal;

    const STEPS: Shape = Shape::new(&[13, 32]);

    #[test]
    fn has_the_shape_of_the_first() {
        const OUTPUT: Shape =
            crate::error::expect(Sub {}.output(&[STEPS, Shape::new(&[32])]), "Sub", "");
        assert_eq!(OUTPUT, STEPS);
        assert_eq!(Sub {}.output(&[STEPS; 2]).unwrap(), STEPS);
    }

    #[test]
    fn refuses_other_shapes() {
        let (blame, words) = refusal(Sub {}.output(&[STEPS, Shape::new(&[13, 1])]));
        assert_eq!(blame, Blame::Branch(1));
        assert_eq!(
            words,
            "layer `it` subtracts branches of one shape, but branch 1 gives 13x32 and branch 2 gives 13x1\n  \
             = help: let branch 2 give 13x32, or 32 to shift channels"
        );
    }

    #[test]
    fn refuses_another_number_of_branches() {
        let (blame, words) = refusal(Sub {}.output(&[STEPS; 1]));
        assert_eq!(blame, Blame::Layer);
        assert_eq!(words, "layer `it` subtracts two or more branches, but gets 1");
    }
}
