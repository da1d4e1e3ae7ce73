//! `Add`: PyTorch's `a + b`, for two or more branches.

use crate::arguments::arguments;
use crate::error::ShapeError;
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
    ..Row::BASE
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Blame;
    use crate::error::testing::refusal;

    #[test]
    fn keeps_the_shape() {
        const BRANCH: Shape = Shape::new(&[13, 13, 32]);
        const OUTPUT: Shape = crate::error::expect(Add {}.output(&[BRANCH; 3]), "Add", "");
        assert_eq!(OUTPUT, BRANCH);
    }

    #[test]
    fn broadcasts_channels() {
        let (image, channels) = (Shape::new(&[13, 13, 32]), Shape::new(&[32]));
        assert_eq!(Add {}.output(&[image, channels, image]).unwrap(), image);
    }

    #[test]
    fn refuses_other_shapes() {
        let inputs = [[13, 13, 32], [13, 13, 32], [11, 11, 32]].map(|axes| Shape::new(&axes));
        let (blame, words) = refusal(Add {}.output(&inputs));
        assert_eq!(blame, Blame::Branch(2));
        assert_eq!(
            words,
            "layer `it` adds branches of one shape, but branch 1 gives 13x13x32 and branch 3 gives 11x11x32\n  \
             = help: let branch 3 give 13x13x32, or 32 to shift channels"
        );
    }

    #[test]
    fn refuses_one_branch() {
        let (blame, words) = refusal(Add {}.output(&[Shape::new(&[10])]));
        assert_eq!(blame, Blame::Layer);
        assert_eq!(words, "layer `it` adds two or more branches, but gets 1");
    }
}
