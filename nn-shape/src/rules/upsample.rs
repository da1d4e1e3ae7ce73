//! `Upsample`: PyTorch's `nn.Upsample`, channels last.

use crate::arguments::arguments;
use crate::checks::at_most;
use crate::registry::{Flow, Flows, Inputs, Needs, Row, Storage};
use crate::rules::helpers::{attempt, counts, row, without};
use crate::rules::window::picture;
use crate::{Shape, ShapeError, Text};

arguments! {
    /// A picture several times as high and wide.
    pub struct Upsample {
        /// How many times.
        factor: Pair,
        /// How the new pixels come about: each is a copy of the nearest old one, or between four of them.
        mode: Word("nearest", "bilinear") = "nearest",
        /// Whether the middles of the pixels in the corners stay in the corners; else their edges do.
        align_corners: Flag = false,
    }
}

impl Upsample {
    /// `[H, W, C] -> [H*factor, W*factor, C]`
    ///
    /// # Errors
    /// When the input has another rank, the factor is 0 or absurd, or `align_corners` meets `nearest`.
    pub const fn output(&self, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        let input = attempt!(picture(inputs[0]));
        attempt!(counts("factor", "factor", self.factor));
        if self.align_corners && !self.is_bilinear() {
            let message = Text::of("has `align_corners = true`, but copies the nearest pixels");
            let help = Text::of("write `mode = bilinear`, too, or leave out `align_corners`");
            return Err(ShapeError::argument("align_corners", message).help(help));
        }
        let [height, width] = self.factor;
        let height = input.dim(0).saturating_mul(height);
        let width = input.dim(1).saturating_mul(width);
        at_most(Shape::new(&[height, width, input.last()]), "gives ")
    }

    /// Multiply-adds of one sample: four for each number between others.
    #[must_use]
    pub const fn macs(&self, inputs: &[Shape]) -> usize {
        match self.output(inputs) {
            Ok(output) if self.is_bilinear() => output.len().saturating_mul(4),
            _ => 0,
        }
    }

    /// Whether new pixels lie between four old ones.
    #[must_use]
    pub const fn is_bilinear(&self) -> bool {
        // Words cannot be compared in constants, but differ in their first letters.
        self.mode.as_bytes()[0] == b'b'
    }
}

without!(Upsample: params, buffers, how);

/// The row of `Upsample`.
pub static ROW: Row = row!(Upsample {
    stem: "upsample",
    summary: "a picture several times as high and wide",
    positional: 1,
    inputs: Inputs::One,
    sizes: &[],
    computed: &[],
    flows: Flows { leading: Flow::Compute, last: Flow::Keep, keeps_rank: true },
    storage: Storage::Separate,
    needs: Needs { input: false, output: false },
    crosses_batch: false,
    keeps_features: false,
});

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Blame;
    use crate::error::testing::refusal;

    const fn by(height: usize, width: usize) -> Upsample {
        Upsample { factor: [height, width], mode: "nearest", align_corners: false }
    }

    #[test]
    fn is_larger_by_its_factor() {
        const INPUT: Shape = Shape::new(&[7, 5, 16]);
        const OUTPUT: Shape = crate::expect(by(2, 3).output(&[INPUT]), "Upsample", "");
        assert_eq!(OUTPUT, Shape::new(&[14, 15, 16]));
        let bilinear = Upsample { mode: "bilinear", align_corners: true, ..by(2, 3) };
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
