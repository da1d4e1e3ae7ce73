//! `Add`: PyTorch's `a + b`, for two or more branches.

use crate::arguments::arguments;
use crate::error::ShapeError;
use crate::row::{Features, Inputs, Row};
use crate::rules::helpers::{attempt, branches, unlike_first};
use crate::shape::Shape;
use crate::text::Text;

arguments! {
    /// The sum of all branches, element by element.
    pub struct Add {}
}

impl Add {
    /// `[..], [..], .. -> [..]`
    ///
    /// # Errors
    /// When the branches differ in shape.
    pub const fn output(&self, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        attempt!(branches("adds", inputs));
        let mut nth = 1;
        while nth < inputs.len() {
            if !inputs[nth].same(&inputs[0]) {
                let help = Text::of("let each branch give ").shape(inputs[0]);
                return Err(unlike_first("adds branches of one shape", inputs, nth).help(help));
            }
            nth += 1;
        }
        Ok(inputs[0])
    }
}

/// The row of `Add`.
pub static ROW: Row = Row {
    name: "Add",
    stem: "add",
    summary: "sum of all branches",
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
    fn refuses_other_shapes() {
        let inputs = [[13, 13, 32], [13, 13, 32], [11, 11, 32]].map(|axes| Shape::new(&axes));
        let (blame, words) = refusal(Add {}.output(&inputs));
        assert_eq!(blame, Blame::Branch(2));
        assert_eq!(
            words,
            "layer `it` adds branches of one shape, but branch 1 gives 13x13x32 and branch 3 gives 11x11x32\n  \
             = help: let each branch give 13x13x32"
        );
    }

    #[test]
    fn refuses_one_branch() {
        let (blame, words) = refusal(Add {}.output(&[Shape::new(&[10])]));
        assert_eq!(blame, Blame::Layer);
        assert_eq!(words, "layer `it` adds two or more branches, but gets 1");
    }
}
