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
        /// `bicubic`: interpolated between the sixteen nearest old pixels (Keys, 1981, with a = -0.75).
        Bicubic = "bicubic",
    }
}

arguments! {
    /// An image of another size: larger by a factor, or of any `size`.
    pub struct Upsample {
        /// The factor of height and width.
        factor: Pair or "none",
        /// Height and width of the output.
        size: Pair or "none",
        /// How new pixels are computed.
        mode: Word(Mode) = Mode::Nearest,
        /// Whether the centres of the corner pixels of input and output are aligned, rather than their outer edges.
        align_corners: Flag = false,
    }
}

impl Upsample {
    /// `[H, W, C] -> [H*factor, W*factor, C]`, or `[size, size, C]`
    ///
    /// # Errors
    /// When the input has another rank, there is not either a factor or a size, it is 0 or too large, or
    /// `align_corners` meets `nearest`.
    pub const fn output(&self, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        let input = attempt!(image(inputs[0]));
        let [height, width] = match (self.factor, self.size) {
            (Some(factor), None) => {
                attempt!(counts("factor", "factor", &factor));
                let [height, width] = factor;
                [input.dim(0).saturating_mul(height), input.dim(1).saturating_mul(width)]
            }
            (None, Some(size)) => {
                attempt!(counts("size", "size", &size));
                size
            }
            (None, None) => {
                let message = Text::of("has neither a factor nor a `size`, but needs one of them");
                let help = Text::of("write `Upsample(2)`, or `Upsample(size = (56, 56))`");
                return Err(ShapeError::layer(message).help(help));
            }
            (Some(_), Some(_)) => {
                let message = Text::of("has both a factor and a `size`, but needs one of them");
                let help = Text::of("leave out one of them");
                return Err(ShapeError::argument("size", message).help(help));
            }
        };
        if self.align_corners && matches!(self.mode, Mode::Nearest) {
            let message = Text::of("has `align_corners = true`, but copies the nearest pixels");
            let help = Text::of("write `mode = bilinear`, too, or leave out `align_corners`");
            return Err(ShapeError::argument("align_corners", message).help(help));
        }
        at_most(Shape::new(&[height, width, input.last()]), "gives ")
    }

    /// Multiply-adds of one sample: four or sixteen per interpolated element.
    #[must_use]
    pub const fn macs(&self, inputs: &[Shape]) -> usize {
        match (self.mode, self.output(inputs)) {
            (Mode::Bilinear, Ok(output)) => output.len().saturating_mul(4),
            (Mode::Bicubic, Ok(output)) => output.len().saturating_mul(16),
            _ => 0,
        }
    }
}

/// The row of `Upsample`.
pub static ROW: Row = Row {
    name: "Upsample",
    stem: "upsample",
    summary: "image of another height and width",
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
        Upsample {
            factor: Some([height, width]),
            size: None,
            mode: Mode::Nearest,
            align_corners: false,
        }
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
    fn has_any_size() {
        let layer = Upsample { factor: None, size: Some([5, 9]), ..by(1, 1) };
        assert_eq!(layer.output(&[Shape::new(&[7, 7, 2])]).unwrap(), Shape::new(&[5, 9, 2]));
        let cubic = Upsample { mode: Mode::Bicubic, ..layer };
        assert_eq!(cubic.macs(&[Shape::new(&[7, 7, 2])]), 5 * 9 * 2 * 16);
    }

    #[test]
    fn refuses_no_size_and_two() {
        let input = Shape::new(&[7, 7, 16]);
        let (blame, words) = refusal(Upsample { factor: None, ..by(1, 1) }.output(&[input]));
        assert_eq!(blame, Blame::Layer);
        assert_eq!(
            words,
            "layer `it` has neither a factor nor a `size`, but needs one of them\n  \
             = help: write `Upsample(2)`, or `Upsample(size = (56, 56))`"
        );
        let (blame, words) = refusal(Upsample { size: Some([9, 9]), ..by(1, 1) }.output(&[input]));
        assert_eq!(blame, Blame::Argument("size"));
        assert!(words.starts_with("layer `it` has both a factor and a `size`"), "{words}");
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
