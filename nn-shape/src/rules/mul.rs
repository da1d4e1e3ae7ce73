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

    const IMAGE: Shape = Shape::new(&[13, 13, 32]);

    #[test]
    fn keeps_the_shape() {
        const OUTPUT: Shape = crate::error::expect(Mul {}.output(&[IMAGE; 2]), "Mul", "");
        assert_eq!(OUTPUT, IMAGE);
    }

    #[test]
    fn spreads_channels() {
        for gate in [Shape::new(&[32]), Shape::new(&[1, 1, 32])] {
            assert_eq!(Mul {}.output(&[IMAGE, gate]).unwrap(), IMAGE);
        }
    }

    #[test]
    fn refuses_other_shapes() {
        let (blame, words) = refusal(Mul {}.output(&[IMAGE, Shape::new(&[1, 32])]));
        assert_eq!(blame, Blame::Branch(1));
        assert_eq!(
            words,
            "layer `it` multiplies branches of one shape, but branch 1 gives 13x13x32 and branch 2 gives 1x32\n  \
             = help: let branch 2 give 13x13x32, or 32 to scale channels"
        );
    }

    #[test]
    fn refuses_a_gate_before_what_it_scales() {
        let (_, words) = refusal(Mul {}.output(&[Shape::new(&[32]), IMAGE]));
        assert_eq!(
            words,
            "layer `it` multiplies branches of one shape, but branch 1 gives 32 and branch 2 gives 13x13x32\n  \
             = help: write branch 2 first: later branches scale its channels"
        );
    }

    #[test]
    fn refuses_one_branch() {
        let (blame, words) = refusal(Mul {}.output(&[Shape::new(&[10])]));
        assert_eq!(blame, Blame::Layer);
        assert_eq!(words, "layer `it` multiplies two or more branches, but gets 1");
    }
}
