//! [`Pad1d`]: PyTorch's `F.pad`, channels last.

use super::rearrange::{Rearrange, rearrange};
use crate::contract::Spec;
use unrolled_shape::rules::pad1d;

/// A sequence with more steps before and after it: `[T, C] -> [T', C]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Pad1d;

rearrange!(Pad1d, pad1d::Pad1d);

impl<S: Spec<Arguments = pad1d::Pad1d>> Rearrange<S> for Pad1d {
    const BLOCK: usize = S::INPUT.last();
    const FILL: f32 = S::ARGUMENTS.value as f32;

    #[inline(always)]
    fn source(at: usize) -> Option<usize> {
        let sides = const {
            match S::ARGUMENTS.sides() {
                Some(sides) => sides,
                None => [0; 2],
            }
        };
        S::ARGUMENTS.mode.source(at, sides, S::INPUT.dim(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::rearrange::testing::check;
    use crate::layers::testing::spec;
    use unrolled_shape::StepPadding;
    use unrolled_shape::rules::pad1d::PadMode as Mode;

    const SIDES: StepPadding = StepPadding::Sides([2, 1]);
    spec!(Constant: pad1d::Pad1d { padding: SIDES, mode: Mode::Constant, value: -1.5 }, [&[3, 2]] -> &[6, 2]);
    spec!(Reflect: pad1d::Pad1d { padding: SIDES, mode: Mode::Reflect, value: 0.0 }, [&[3, 2]] -> &[6, 2]);
    spec!(Replicate: pad1d::Pad1d { padding: SIDES, mode: Mode::Replicate, value: 0.0 }, [&[3, 2]] -> &[6, 2]);
    spec!(Circular: pad1d::Pad1d { padding: SIDES, mode: Mode::Circular, value: 0.0 }, [&[3, 2]] -> &[6, 2]);

    /// Checks a mode, which has these steps.
    fn check_mode<S: Spec<Arguments = pad1d::Pad1d>>(steps: [Option<usize>; 6]) {
        check::<S, Pad1d>(S::ARGUMENTS.value as f32, |at| Some(steps[at[0]]? * 2 + at[1]));
    }

    #[test]
    fn adds_steps() {
        check_mode::<Constant>([None, None, Some(0), Some(1), Some(2), None]);
        check_mode::<Reflect>([2, 1, 0, 1, 2, 1].map(Some));
        check_mode::<Replicate>([0, 0, 0, 1, 2, 2].map(Some));
        check_mode::<Circular>([1, 2, 0, 1, 2, 0].map(Some));
    }
}
