//! `PerStep`: two views around its lines, which see one step of a sequence. PyTorch's `x.flatten(0, 1)` before a module and
//! `y.unflatten(0, (batch, steps))` after it, Keras' `TimeDistributed`. Their rows are not in the registry, since they are no
//! layers that a line names.

use crate::arguments::arguments;
use crate::checks::at_most;
use crate::error::ShapeError;
use crate::row::{Channels, Features, Flows, Row, Steps, Storage};
use crate::shape::{MAX_RANK, Shape};
use crate::text::Text;

arguments! {
    /// The view that the lines begin with: a sample of each step of a sequence.
    pub struct OneStep {}
}

arguments! {
    /// The view that they end with: the sequence of what each step gives.
    pub struct AllSteps {
        /// The number of steps.
        steps: Number,
    }
}

impl OneStep {
    /// `[T, ..] -> [..]`
    ///
    /// # Errors
    /// When the input has no axis but one.
    pub const fn output(&self, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        let input = inputs[0];
        if input.rank() > 1 {
            return Ok(Shape::new(input.dims().split_at(1).1));
        }
        let message =
            Text::of("applies its lines to each step of a sequence, but gets ").shape(input);
        let help = Text::of("its input is `steps x ..`, such as 8x").shape(input);
        let help = help.text("; for single numbers, write `Reshape` to ").shape(input);
        Err(ShapeError::layer(message).help(help.text("x1 before it")))
    }
}

impl AllSteps {
    /// `[..] -> [T, ..]`
    ///
    /// # Errors
    /// When there are too many axes or elements.
    pub const fn output(&self, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        let input = inputs[0];
        if input.rank() == MAX_RANK {
            let message = Text::of("gives ").shape(input).text(" for each of its ");
            let message = message.number(self.steps).text(" steps, but a shape has at most ");
            return Err(ShapeError::layer(message.number(MAX_RANK).text(" axes")));
        }
        let mut axes = [self.steps; MAX_RANK];
        let mut i = 0;
        while i < input.rank() {
            axes[i + 1] = input.dim(i);
            i += 1;
        }
        at_most(Shape::new(axes.split_at(input.rank() + 1).0), "gives ")
    }
}

/// The row of the view that begins the lines.
pub static BEGIN: Row = Row {
    name: "OneStep",
    stem: "per_step",
    summary: "each step of a sequence as a sample of its own",
    rule: |inputs, values| OneStep::from_values(values).output(inputs),
    flows: Flows::COMPUTE,
    storage: Storage::View,
    steps: Steps::Begin,
    channels: Channels::OneStep,
    features: Features::Same,
    ..Row::BASE
};

/// The row of the view that ends them.
pub static END: Row = Row {
    name: "AllSteps",
    stem: "per_step",
    summary: "the outputs of all steps as a sequence",
    parameters: AllSteps::PARAMETERS,
    rule: |inputs, values| AllSteps::from_values(values).output(inputs),
    flows: Flows::COMPUTE,
    storage: Storage::View,
    steps: Steps::End,
    channels: Channels::AllSteps,
    features: Features::Same,
    ..Row::BASE
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Blame;
    use crate::error::testing::refusal;

    #[test]
    fn takes_an_axis_off_and_puts_it_back() {
        const VIDEO: Shape = Shape::new(&[12, 16, 15, 3]);
        const FRAME: Shape = crate::error::expect(OneStep {}.output(&[VIDEO]), "PerStep", "");
        assert_eq!(FRAME, Shape::new(&[16, 15, 3]));
        assert_eq!(AllSteps { steps: 12 }.output(&[FRAME]).unwrap(), VIDEO);
    }

    #[test]
    fn refuses_an_input_without_steps() {
        let (blame, words) = refusal(OneStep {}.output(&[Shape::new(&[16])]));
        assert_eq!(blame, Blame::Layer);
        assert_eq!(
            words,
            "layer `it` applies its lines to each step of a sequence, but gets 16\n  = help: its input is \
             `steps x ..`, such as 8x16; for single numbers, write `Reshape` to 16x1 before it"
        );
    }

    #[test]
    fn refuses_too_many_axes_and_elements() {
        let (_, words) = refusal(AllSteps { steps: 9 }.output(&[Shape::new(&[1, 2, 3, 4, 5, 6])]));
        assert_eq!(
            words,
            "layer `it` gives 1x2x3x4x5x6 for each of its 9 steps, but a shape has at most 6 axes"
        );
        let (_, words) = refusal(AllSteps { steps: 1 << 30 }.output(&[Shape::new(&[1 << 20])]));
        assert!(words.contains("can hold at most"), "{words}");
    }
}
