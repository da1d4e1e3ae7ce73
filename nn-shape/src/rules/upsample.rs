//! `Upsample`: PyTorch's `nn.Upsample`, channels last.

use crate::arguments::{arguments, words};
use crate::checks::at_most;
use crate::error::ShapeError;
use crate::row::{Channels, Features, Flow, Flows, Row, Steps};
use crate::rules::helpers::{attempt, counts};
use crate::rules::window::image;
use crate::shape::Shape;
use crate::text::Text;

words! {
    /// How `Upsample` computes new pixels.
    pub enum Mode {
        /// `nearest`: copies of the nearest old pixel.
        Nearest = "nearest",
        /// `bilinear`: interpolated between the four nearest old pixels.
        Bilinear = "bilinear",
    }
}

arguments! {
    /// Enlarges an image.
    pub struct Upsample {
        /// The factor of height and width.
        factor: Pair,
        /// How new pixels are computed.
        mode: Word(Mode) = Mode::Nearest,
        /// Whether the centres of the corner pixels of input and output are aligned, rather than their outer edges.
        align_corners: Flag = false,
    }
}

impl Upsample {
    /// `[H, W, C] -> [H*factor, W*factor, C]`
    ///
    /// # Errors
    /// When the input has another rank, the factor is 0 or too large, or `align_corners` meets `nearest`.
    pub const fn output(&self, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        let input = attempt!(image(inputs[0]));
        attempt!(counts("factor", "factor", self.factor));
        if self.align_corners && matches!(self.mode, Mode::Nearest) {
            let message = Text::of("has `align_corners = true`, but copies the nearest pixels");
            let help = Text::of("write `mode = bilinear`, too, or leave out `align_corners`");
            return Err(ShapeError::argument("align_corners", message).help(help));
        }
        let [height, width] = self.factor;
        let height = input.dim(0).saturating_mul(height);
        let width = input.dim(1).saturating_mul(width);
        at_most(Shape::new(&[height, width, input.last()]), "gives ")
    }

    /// Multiply-adds of one sample: four per interpolated element.
    #[must_use]
    pub const fn macs(&self, inputs: &[Shape]) -> usize {
        match (self.mode, self.output(inputs)) {
            (Mode::Bilinear, Ok(output)) => output.len().saturating_mul(4),
            _ => 0,
        }
    }
}

/// The row of `Upsample`.
pub static ROW: Row = Row {
    name: "Upsample",
    stem: "upsample",
    summary: "upsampling of height and width",
    parameters: Upsample::PARAMETERS,
    positional: 1,
    rule: |inputs, values| Upsample::from_values(values).output(inputs),
    macs: Some(|inputs, values| Upsample::from_values(values).macs(inputs)),
    flows: Flows { leading: Flow::Compute, last: Flow::Keep, keeps_rank: true },
    steps: Steps::All,
    channels: Channels::First,
    features: Features::Same,
    ..Row::BASE
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Blame;
    use crate::error::testing::refusal;

    const fn by(height: usize, width: usize) -> Upsample {
        Upsample { factor: [height, width], mode: Mode::Nearest, align_corners: false }
    }

    #[test]
    fn is_larger_by_its_factor() {
        const INPUT: Shape = Shape::new(&[7, 5, 16]);
        const OUTPUT: Shape = crate::error::expect(by(2, 3).output(&[INPUT]), "Upsample", "");
        assert_eq!(OUTPUT, Shape::new(&[14, 15, 16]));
        let bilinear = Upsample { mode: Mode::Bilinear, align_corners: true, ..by(2, 3) };
        assert_eq!(bilinear.output(&[INPUT]).unwrap(), OUTPUT);
        assert_eq!((by(2, 3).macs(&[INPUT]), bilinear.macs(&[INPUT])), (0, 4 * OUTPUT.len()));
    }

    #[test]
    fn refuses_corners_of_copies() {
        let layer = Upsample { align_corners: true, ..by(2, 2) };
        let (blame, words) = refusal(layer.output(&[Shape::new(&[7, 7, 16])]));
        assert_eq!(blame, Blame::Argument("align_corners"));
        assert_eq!(
            words,
            "layer `it` has `align_corners = true`, but copies the nearest pixels\n  \
             = help: write `mode = bilinear`, too, or leave out `align_corners`"
        );
    }

    #[test]
    fn refuses_factors_of_0_and_other_ranks() {
        let (blame, words) = refusal(by(2, 0).output(&[Shape::new(&[7, 7, 16])]));
        assert_eq!(blame, Blame::Argument("factor"));
        assert_eq!(words, "layer `it` has a factor of 2x0, but needs at least 1");
        let (blame, _) = refusal(by(2, 2).output(&[Shape::new(&[49])]));
        assert_eq!(blame, Blame::Layer);
        assert!(by(1 << 30, 1 << 30).output(&[Shape::new(&[7, 7, 16])]).is_err());
    }
}
