//! `RepeatSteps`: PyTorch's `x.unsqueeze(1).expand(-1, steps, -1)`, Keras' `RepeatVector`.

use crate::arguments::arguments;
use crate::checks::at_most;
use crate::error::ShapeError;
use crate::row::{Channels, Features, Flow, Flows, Row, Steps};
use crate::rules::helpers::{attempt, count};
use crate::shape::Shape;
use crate::text::Text;

arguments! {
    /// A sequence whose steps are copies of the input.
    pub struct RepeatSteps {
        /// The number of steps.
        steps: Number,
    }
}

impl RepeatSteps {
    /// `[C] -> [steps, C]`
    ///
    /// # Errors
    /// When the input has more than one axis, or `steps` is 0.
    pub const fn output(&self, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        let input = inputs[0];
        let steps = attempt!(count("steps", "steps", self.steps));
        if input.rank() == 1 {
            return at_most(Shape::new(&[steps, input.last()]), "gives ");
        }
        let message = Text::of("takes features, but gets ").shape(input);
        let help = Text::of("write `Flatten`, or a layer with `output = last`, before it");
        Err(ShapeError::layer(message).help(help))
    }
}

/// The row of `RepeatSteps`.
pub static ROW: Row = Row {
    name: "RepeatSteps",
    stem: "repeat_steps",
    summary: "sequence whose steps are copies of the input",
    parameters: RepeatSteps::PARAMETERS,
    positional: 1,
    rule: |inputs, values| RepeatSteps::from_values(values).output(inputs),
    flows: Flows { leading: Flow::Compute, last: Flow::Keep, keeps_rank: false },
    steps: Steps::All,
    channels: Channels::Last,
    features: Features::Same,
    ..Row::BASE
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Blame;
    use crate::error::testing::refusal;

    #[test]
    fn adds_an_axis() {
        const LAYER: RepeatSteps = RepeatSteps { steps: 7 };
        const OUTPUT: Shape =
            crate::error::expect(LAYER.output(&[Shape::new(&[5])]), "RepeatSteps", "");
        assert_eq!(OUTPUT, Shape::new(&[7, 5]));
    }

    #[test]
    fn refuses_sequences_and_no_steps() {
        let (blame, words) = refusal(RepeatSteps { steps: 7 }.output(&[Shape::new(&[3, 5])]));
        assert_eq!(blame, Blame::Layer);
        assert_eq!(
            words,
            "layer `it` takes features, but gets 3x5\n  \
             = help: write `Flatten`, or a layer with `output = last`, before it"
        );
        let (blame, words) = refusal(RepeatSteps { steps: 0 }.output(&[Shape::new(&[5])]));
        assert_eq!(blame, Blame::Argument("steps"));
        assert_eq!(words, "layer `it` has 0 steps, but needs at least 1");
    }
}
