//! `Pad2d`: PyTorch's `F.pad` with one of its modes, channels last.

use crate::arguments::{Padding, arguments};
use crate::error::ShapeError;
use crate::row::{Features, Flow, Flows, Row, Steps};
pub use crate::rules::helpers::PadMode;
use crate::rules::helpers::{attempt, padded, real};
use crate::rules::window::image;
use crate::shape::Shape;
use crate::text::Text;

arguments! {
    /// An image with more pixels around it.
    pub struct Pad2d {
        /// How many pixels are added on each side, or `(top, bottom, left, right)`.
        padding: Padding,
        /// What they contain.
        mode: Word(PadMode) = PadMode::Constant,
        /// The constant.
        value: Real = 0.0,
    }
}

impl Pad2d {
    /// `[H, W, C] -> [top + H + bottom, left + W + right, C]`
    ///
    /// # Errors
    /// When the input has another rank, or the mode has too few elements to copy.
    pub const fn output(&self, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        let input = inputs[0];
        attempt!(image(input));
        attempt!(real("value", self.value, self.value.is_finite(), "a finite number"));
        match self.sides() {
            Some(sides) => padded(self.mode, &sides, input),
            None => {
                let message = Text::of("needs numbers of pixels, but gets a word");
                let help = Text::of("write `padding = (0, 1, 0, 1)`: top, bottom, left, right");
                Err(ShapeError::argument("padding", message).help(help))
            }
        }
    }

    /// The pixels added before and after each axis.
    #[must_use]
    pub const fn sides(&self) -> Option<[[usize; 2]; 2]> {
        match self.padding {
            Padding::Explicit([height, width]) => Some([[height; 2], [width; 2]]),
            Padding::Sides([top, bottom, left, right]) => Some([[top, bottom], [left, right]]),
            Padding::Same => None,
        }
    }
}

/// The row of `Pad2d`.
pub static ROW: Row = Row {
    name: "Pad2d",
    stem: "pad2d",
    summary: "padding of height and width",
    parameters: Pad2d::PARAMETERS,
    positional: 1,
    rule: |inputs, values| Pad2d::from_values(values).output(inputs),
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

    const INPUT: Shape = Shape::new(&[5, 4, 3]);

    const fn by(padding: Padding, mode: PadMode) -> Pad2d {
        Pad2d { padding, mode, value: 0.0 }
    }

    #[test]
    fn adds_to_each_side() {
        const LAYER: Pad2d = by(Padding::Sides([0, 1, 2, 3]), PadMode::Reflect);
        const OUTPUT: Shape = crate::error::expect(LAYER.output(&[INPUT]), "Pad2d", "");
        assert_eq!(OUTPUT, Shape::new(&[6, 9, 3]));
    }

    #[test]
    fn refuses_to_copy_what_is_not_there() {
        let sides = Padding::Sides([0, 0, 4, 0]);
        let (blame, words) = refusal(by(sides, PadMode::Reflect).output(&[INPUT]));
        assert_eq!(blame, Blame::Argument("padding"));
        assert_eq!(
            words,
            "layer `it` reflects 4 elements, but its input 5x4x3 has 4 along that axis\n  \
             = help: pad by at most 3, or write `mode = replicate`"
        );
        assert!(by(Padding::Sides([0, 0, 4, 0]), PadMode::Circular).output(&[INPUT]).is_ok());
        let (_, words) =
            refusal(by(Padding::Sides([0, 0, 5, 0]), PadMode::Circular).output(&[INPUT]));
        assert!(words.starts_with("layer `it` repeats 5 elements"), "{words}");
    }

    #[test]
    fn refuses_words() {
        let (blame, words) = refusal(by(Padding::Same, PadMode::Constant).output(&[INPUT]));
        assert_eq!(blame, Blame::Argument("padding"));
        assert!(words.starts_with("layer `it` needs numbers of pixels, but gets a word"));
    }
}
