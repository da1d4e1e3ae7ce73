//! [`Pad2d`]: PyTorch's `F.pad`, channels last.

use super::rearrange::{Rearrange, rearrange};
use crate::contract::Spec;
use unrolled_shape::rules::pad2d;

/// An image with more pixels around it: `[H, W, C] -> [H', W', C]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Pad2d;

rearrange!(Pad2d, pad2d::Pad2d);

impl<S: Spec<Arguments = pad2d::Pad2d>> Rearrange<S> for Pad2d {
    const BLOCK: usize = S::INPUT.last();
    const FILL: f32 = S::ARGUMENTS.value as f32;

    #[inline(always)]
    fn source(at: usize) -> Option<usize> {
        let [height, width] = const {
            match S::ARGUMENTS.sides() {
                Some(sides) => sides,
                None => [[0; 2]; 2],
            }
        };
        let (row, column) = (at / S::OUTPUT.dim(1), at % S::OUTPUT.dim(1));
        let row = S::ARGUMENTS.mode.source(row, height, S::INPUT.dim(0))?;
        let column = S::ARGUMENTS.mode.source(column, width, S::INPUT.dim(1))?;
        Some(row * S::INPUT.dim(1) + column)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::rearrange::testing::check;
    use crate::layers::testing::spec;
    use unrolled_shape::Padding;
    use unrolled_shape::rules::pad2d::PadMode as Mode;

    const SIDES: Padding = Padding::Sides([1, 2, 0, 3]);
    spec!(Constant: pad2d::Pad2d { padding: SIDES, mode: Mode::Constant, value: 0.5 }, [&[3, 4, 2]] -> &[6, 7, 2]);
    spec!(Reflect: pad2d::Pad2d { padding: SIDES, mode: Mode::Reflect, value: 0.0 }, [&[3, 4, 2]] -> &[6, 7, 2]);
    spec!(Replicate: pad2d::Pad2d { padding: SIDES, mode: Mode::Replicate, value: 0.0 }, [&[3, 4, 2]] -> &[6, 7, 2]);
    spec!(Circular: pad2d::Pad2d { padding: SIDES, mode: Mode::Circular, value: 0.0 }, [&[3, 4, 2]] -> &[6, 7, 2]);

    /// Checks a mode, which has these rows and columns.
    fn check_mode<S: Spec<Arguments = pad2d::Pad2d>>(
        rows: [Option<usize>; 6],
        columns: [Option<usize>; 7],
    ) {
        let fill = S::ARGUMENTS.value as f32;
        check::<S, Pad2d>(fill, |at| Some((rows[at[0]]? * 4 + columns[at[1]]?) * 2 + at[2]));
    }

    #[test]
    fn adds_pixels() {
        let zeros = [None, Some(0), Some(1), Some(2), None, None];
        check_mode::<Constant>(zeros, [Some(0), Some(1), Some(2), Some(3), None, None, None]);
        check_mode::<Reflect>([1, 0, 1, 2, 1, 0].map(Some), [0, 1, 2, 3, 2, 1, 0].map(Some));
        check_mode::<Replicate>([0, 0, 1, 2, 2, 2].map(Some), [0, 1, 2, 3, 3, 3, 3].map(Some));
        check_mode::<Circular>([2, 0, 1, 2, 0, 1].map(Some), [0, 1, 2, 3, 0, 1, 2].map(Some));
    }
}
