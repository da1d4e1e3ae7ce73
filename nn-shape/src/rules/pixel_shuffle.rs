//! `PixelShuffle`: PyTorch's `nn.PixelShuffle`, channels last.

use crate::arguments::arguments;
use crate::checks::at_most;
use crate::error::ShapeError;
use crate::row::{Channels, Flow, Flows, Row, Steps};
use crate::rules::helpers::{attempt, counts};
use crate::rules::window::image;
use crate::shape::Shape;
use crate::text::Text;

arguments! {
    /// An image enlarged by its channels: each pixel becomes `factor x factor` pixels (Shi et al., 2016).
    pub struct PixelShuffle {
        /// The factor of height and width.
        factor: Number,
    }
}

impl PixelShuffle {
    /// `[H, W, C*factor*factor] -> [H*factor, W*factor, C]`
    ///
    /// # Errors
    /// When the input has another rank, `factor` is 0, or its square does not divide the channels.
    pub const fn output(&self, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        let input = attempt!(image(inputs[0]));
        let factor = self.factor;
        attempt!(counts("factor", "factor", &[factor]));
        let pixels = factor.saturating_mul(factor);
        if !input.last().is_multiple_of(pixels) {
            let message = Text::of("makes ").number(factor).text("x").number(factor);
            let message = message.text(" pixels of the channels of one, but gets ");
            let message = message.number(input.last()).text(" channels");
            let help = Text::of("give it a multiple of ").number(pixels).text(" channels");
            return Err(ShapeError::layer(message).help(help));
        }
        let (height, width) = (input.dim(0), input.dim(1));
        let output =
            [height.saturating_mul(factor), width.saturating_mul(factor), input.last() / pixels];
        at_most(Shape::new(&output), "gives ")
    }
}

/// The row of `PixelShuffle`.
pub static ROW: Row = Row {
    name: "PixelShuffle",
    stem: "pixel_shuffle",
    summary: "larger image from groups of channels",
    parameters: PixelShuffle::PARAMETERS,
    positional: 1,
    rule: |inputs, values| PixelShuffle::from_values(values).output(inputs),
    flows: Flows { leading: Flow::Compute, last: Flow::Compute, keeps_rank: true },
    steps: Steps::All,
    channels: Channels::First,
    ..Row::BASE
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Blame;
    use crate::error::testing::refusal;

    #[test]
    fn enlarges_by_its_factor() {
        const LAYER: PixelShuffle = PixelShuffle { factor: 2 };
        const OUTPUT: Shape =
            crate::error::expect(LAYER.output(&[Shape::new(&[3, 5, 12])]), "PixelShuffle", "");
        assert_eq!(OUTPUT, Shape::new(&[6, 10, 3]));
    }

    #[test]
    fn refuses_channels_that_it_cannot_spread() {
        let (blame, words) = refusal(PixelShuffle { factor: 2 }.output(&[Shape::new(&[3, 5, 6])]));
        assert_eq!(blame, Blame::Layer);
        assert_eq!(
            words,
            "layer `it` makes 2x2 pixels of the channels of one, but gets 6 channels\n  \
             = help: give it a multiple of 4 channels"
        );
        let (blame, words) = refusal(PixelShuffle { factor: 0 }.output(&[Shape::new(&[3, 5, 6])]));
        assert_eq!(blame, Blame::Argument("factor"));
        assert_eq!(words, "layer `it` has a factor of 0, but needs at least 1");
    }
}
