//! `Pad1d`: PyTorch's `F.pad` with one of its modes, channels last.

use crate::arguments::{StepPadding, arguments};
use crate::error::ShapeError;
use crate::row::{Features, Flow, Flows, Row, Steps};
pub use crate::rules::helpers::PadMode;
use crate::rules::helpers::{attempt, padded, real};
use crate::rules::recurrent::sequence;
use crate::shape::Shape;
use crate::text::Text;

arguments! {
    /// A sequence with more steps before and after it.
    pub struct Pad1d {
        /// How many steps are added on both sides, or `(before, after)`.
        padding: StepPadding,
        /// What they contain.
        mode: Word(PadMode) = PadMode::Constant,
        /// The constant.
        value: Real = 0.0,
    }
}

impl Pad1d {
    /// `[T, C] -> [before + T + after, C]`
    ///
    /// # Errors
    /// When the input has another rank, or the mode has too few elements to copy.
    pub const fn output(&self, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        let input = inputs[0];
        attempt!(sequence(input));
        attempt!(real("value", self.value, self.value.is_finite(), "a finite number"));
        match self.sides() {
            Some(sides) => padded(self.mode, &[sides], input),
            None => {
                let message = Text::of("needs numbers of steps, but gets a word");
                let help = Text::of("write `padding = (0, 1)`: before, after");
                Err(ShapeError::argument("padding", message).help(help))
            }
        }
    }

    /// The steps added before and after.
    #[must_use]
    pub const fn sides(&self) -> Option<[usize; 2]> {
        match self.padding {
            StepPadding::Explicit(both) => Some([both; 2]),
            StepPadding::Sides(sides) => Some(sides),
            StepPadding::Same | StepPadding::Causal => None,
        }
    }
}

/// The row of `Pad1d`.
pub static ROW: Row = Row {
    name: "Pad1d",
    stem: "pad1d",
    summary: "padding of steps",
    parameters: Pad1d::PARAMETERS,
    positional: 1,
    rule: |inputs, values| Pad1d::from_values(values).output(inputs),
    flows: Flows { leading: Flow::Compute, last: Flow::Keep, keeps_rank: true },
    steps: Steps::All,
    features: Features::Same,
    ..Row::BASE
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Blame;
    use crate::error::testing::refusal;

    const INPUT: Shape = Shape::new(&[5, 3]);

    const fn by(padding: StepPadding, mode: PadMode) -> Pad1d {
        Pad1d { padding, mode, value: 0.0 }
    }

    #[test]
    fn adds_to_each_side() {
        const LAYER: Pad1d = by(StepPadding::Sides([2, 4]), PadMode::Reflect);
        const OUTPUT: Shape = crate::error::expect(LAYER.output(&[INPUT]), "Pad1d", "");
        assert_eq!(OUTPUT, Shape::new(&[11, 3]));
    }

    #[test]
    fn refuses_to_copy_what_is_not_there() {
        let sides = StepPadding::Sides([0, 5]);
        let (blame, words) = refusal(by(sides, PadMode::Reflect).output(&[INPUT]));
        assert_eq!(blame, Blame::Argument("padding"));
        assert_eq!(
            words,
            "layer `it` reflects 5 elements, but its input 5x3 has 5 along that axis\n  \
             = help: pad by at most 4, or write `mode = replicate`"
        );
        assert!(by(StepPadding::Sides([0, 5]), PadMode::Circular).output(&[INPUT]).is_ok());
        let (_, words) =
            refusal(by(StepPadding::Sides([0, 6]), PadMode::Circular).output(&[INPUT]));
        assert!(words.starts_with("layer `it` repeats 6 elements"), "{words}");
    }

    #[test]
    fn refuses_words() {
        let (blame, words) = refusal(by(StepPadding::Same, PadMode::Constant).output(&[INPUT]));
        assert_eq!(blame, Blame::Argument("padding"));
        assert!(words.starts_with("layer `it` needs numbers of steps, but gets a word"));
    }
}
