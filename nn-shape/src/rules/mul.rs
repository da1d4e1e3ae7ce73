//! `Mul`: PyTorch's `a * b`, for two or more branches.

use crate::arguments::arguments;
use crate::error::ShapeError;
use crate::row::{Features, Inputs, Needs, Row};
use crate::rules::helpers::{attempt, branches, broadcast};
use crate::shape::Shape;

arguments! {
    /// The product of all branches, element by element. A branch of shape `[C]` or `[1, .., C]` scales
    /// the channels of the first.
    pub struct Mul {}
}

impl Mul {
    /// `[.., C], [.., C] or [C] or [1, .., C], .. -> [.., C]`
    ///
    /// # Errors
    /// When a branch has neither the shape of the first nor its channels alone.
    pub const fn output(&self, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        attempt!(branches("multiplies", inputs));
        broadcast("multiplies", "scale", inputs)
    }
}

/// The row of `Mul`.
pub static ROW: Row = Row {
    name: "Mul",
    stem: "mul",
    summary: "product of all branches, with channels broadcast",
    inputs: Inputs::Branches,
    rule: |inputs, values| Mul::from_values(values).output(inputs),
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
        check_broadcast(&ROW, "multiplies", "scale");
    }

    #[test]
    fn refuses_another_number_of_branches() {
        let (blame, words) = refusal(Mul {}.output(&[Shape::new(&[13, 32]); 1]));
        assert_eq!(blame, Blame::Layer);
        assert_eq!(words, "layer `it` multiplies two or more branches, but gets 1");
    }
}
