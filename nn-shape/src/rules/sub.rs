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
    use crate::rules::helpers::testing::check_broadcast;

    #[test]
    fn takes_branches_of_one_shape_or_channels() {
        check_broadcast(&ROW, "subtracts", "shift");
    }

    #[test]
    fn refuses_another_number_of_branches() {
        let (blame, words) = refusal(Sub {}.output(&[Shape::new(&[13, 32]); 1]));
        assert_eq!(blame, Blame::Layer);
        assert_eq!(words, "layer `it` subtracts two or more branches, but gets 1");
    }
}
