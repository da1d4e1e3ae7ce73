//! `Div`: PyTorch's `a / b`.

use crate::arguments::arguments;
use crate::error::ShapeError;
use crate::row::{Features, Inputs, Needs, Row};
use crate::rules::helpers::{attempt, broadcast, two_branches};
use crate::shape::Shape;

arguments! {
    /// The first branch divided by the second, element by element. A second branch of shape `[C]` or
    /// `[1, .., C]` divides the channels of the first.
    pub struct Div {}
}

impl Div {
    /// `[.., C], [.., C] or [C] or [1, .., C] -> [.., C]`
    ///
    /// # Errors
    /// When a branch has neither the shape of the first nor its channels alone, or there are not two.
    pub const fn output(&self, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        attempt!(two_branches("divides", inputs));
        broadcast("divides", "scale", inputs)
    }
}

/// The row of `Div`.
pub static ROW: Row = Row {
    name: "Div",
    stem: "div",
    summary: "first branch divided by the second, with channels broadcast",
    inputs: Inputs::Branches,
    rule: |inputs, values| Div::from_values(values).output(inputs),
    needs: Needs::INPUT,
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
            crate::error::expect(Div {}.output(&[STEPS, Shape::new(&[32])]), "Div", "");
        assert_eq!(OUTPUT, STEPS);
        assert_eq!(Div {}.output(&[STEPS; 2]).unwrap(), STEPS);
    }

    #[test]
    fn refuses_other_shapes() {
        let (blame, words) = refusal(Div {}.output(&[STEPS, Shape::new(&[13, 1])]));
        assert_eq!(blame, Blame::Branch(1));
        assert_eq!(
            words,
            "layer `it` divides branches of one shape, but branch 1 gives 13x32 and branch 2 gives 13x1\n  \
             = help: let branch 2 give 13x32, or 32 to scale channels"
        );
    }

    #[test]
    fn refuses_another_number_of_branches() {
        let (blame, words) = refusal(Div {}.output(&[STEPS; 3]));
        assert_eq!(blame, Blame::Layer);
        assert_eq!(words, "layer `it` divides two branches, but gets 3");
    }
}
