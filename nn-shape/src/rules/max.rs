//! `Max`: PyTorch's `torch.maximum(a, b)`.

use crate::arguments::arguments;
use crate::error::ShapeError;
use crate::row::{Features, Inputs, Needs, Row};
use crate::rules::helpers::{attempt, broadcast, two_branches};
use crate::shape::Shape;

arguments! {
    /// The larger of two branches, element by element. A second branch of shape `[C]` or `[1, .., C]` limits
    /// the channels of the first.
    pub struct Max {}
}

impl Max {
    /// `[.., C], [.., C] or [C] or [1, .., C] -> [.., C]`
    ///
    /// # Errors
    /// When a branch has neither the shape of the first nor its channels alone, or there are not two.
    pub const fn output(&self, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        attempt!(two_branches("compares", inputs));
        broadcast("compares", "limit", inputs)
    }
}

/// The row of `Max`.
pub static ROW: Row = Row {
    name: "Max",
    stem: "max",
    summary: "larger of two branches, with channels broadcast",
    inputs: Inputs::Branches,
    rule: |inputs, values| Max::from_values(values).output(inputs),
    needs: Needs::INPUT,
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
        check_broadcast(&ROW, "compares", "limit");
    }

    #[test]
    fn refuses_another_number_of_branches() {
        let (blame, words) = refusal(Max {}.output(&[Shape::new(&[13, 32]); 3]));
        assert_eq!(blame, Blame::Layer);
        assert_eq!(words, "layer `it` compares two branches, but gets 3");
    }
}
