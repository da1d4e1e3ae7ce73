//! `Mul`: PyTorch's `a * b`, for two or more branches.

use crate::arguments::arguments;
use crate::error::ShapeError;
use crate::row::{Features, Inputs, Needs, Row};
use crate::rules::helpers::{attempt, branches, unlike_first};
use crate::shape::{MAX_RANK, Shape};
use crate::text::Text;

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
        let mut nth = 1;
        while nth < inputs.len() {
            if !inputs[nth].same(&inputs[0]) && !scales(inputs[nth], inputs[0]) {
                return Err(refuse(inputs, nth));
            }
            nth += 1;
        }
        Ok(inputs[0])
    }
}

/// Whether `gate` has the channels of `input` alone, to be spread over its other axes.
const fn scales(gate: Shape, input: Shape) -> bool {
    let rank = gate.rank();
    // `[C]` or `[1, .., C]`: other ranks would leave open which axes are meant.
    let spreads = rank == 1 || rank == input.rank();
    spreads && gate.same(&ones(rank).with_last(input.last()))
}

/// `1x1x..`
const fn ones(rank: usize) -> Shape {
    Shape::new([1; MAX_RANK].split_at(rank).0)
}

const fn refuse(inputs: &[Shape], nth: usize) -> ShapeError {
    let (first, other) = (inputs[0], inputs[nth]);
    let error = unlike_first("multiplies branches of one shape", inputs, nth);
    if scales(first, other) {
        let help = Text::of("write branch ").number(nth + 1);
        return error.help(help.text(" first: later branches scale its channels"));
    }
    let help = Text::of("let branch ").number(nth + 1).text(" give ").shape(first);
    if first.rank() == 1 {
        return error.help(help);
    }
    error.help(help.text(", or ").number(first.last()).text(" to scale channels"))
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
