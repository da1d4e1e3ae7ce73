//! `Add`: PyTorch's `a + b`, for two or more branches.

use crate::arguments::arguments;
use crate::error::ShapeError;
use crate::fusion::Fusion;
use crate::row::{Features, Inputs, Row};
use crate::rules::helpers::{attempt, branches, broadcast};
use crate::shape::Shape;

arguments! {
    /// The sum of all branches, element by element. A branch of shape `[C]` or `[1, .., C]` is added to the
    /// channels of the first.
    pub struct Add {}
}

impl Add {
    /// `[.., C], [.., C] or [C] or [1, .., C], .. -> [.., C]`
    ///
    /// # Errors
    /// When a branch has neither the shape of the first nor its channels alone.
    pub const fn output(&self, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        attempt!(branches("adds", inputs));
        broadcast("adds", "shift", inputs)
    }
}

/// The row of `Add`.
pub static ROW: Row = Row {
    name: "Add",
    stem: "add",
    summary: "sum of all branches, with channels broadcast",
    inputs: Inputs::Branches,
    rule: |inputs, values| Add::from_values(values).output(inputs),
    features: Features::Same,
    fusion: Fusion::Sum,
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
        check_broadcast(&ROW, "adds", "shift");
    }

    #[test]
    fn refuses_another_number_of_branches() {
        let (blame, words) = refusal(Add {}.output(&[Shape::new(&[13, 32]); 1]));
        assert_eq!(blame, Blame::Layer);
        assert_eq!(words, "layer `it` adds two or more branches, but gets 1");
    }

    #[test]
    fn takes_any_number_of_branches() {
        let (image, channels) = (Shape::new(&[13, 13, 32]), Shape::new(&[32]));
        assert_eq!(Add {}.output(&[image, channels, image]).unwrap(), image);
        let (blame, _) = refusal(Add {}.output(&[image, image, Shape::new(&[11, 11, 32])]));
        assert_eq!(blame, Blame::Branch(2));
    }
}
