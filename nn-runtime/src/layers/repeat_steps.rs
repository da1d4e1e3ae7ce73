//! [`RepeatSteps`]: PyTorch's `x.unsqueeze(1).expand(-1, steps, -1)`.

use super::rearrange::{Rearrange, rearrange};
use crate::contract::Spec;
use unrolled_shape::rules::repeat_steps;

/// A sequence whose steps are copies of the input: `[C] -> [steps, C]`.
#[derive(Clone, Debug, PartialEq)]
pub struct RepeatSteps;

rearrange!(RepeatSteps, repeat_steps::RepeatSteps);

impl<S: Spec<Arguments = repeat_steps::RepeatSteps>> Rearrange<S> for RepeatSteps {
    const BLOCK: usize = S::INPUT.last();

    #[inline(always)]
    fn source(_: usize) -> Option<usize> {
        Some(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::rearrange::testing::check;
    use crate::layers::testing::spec;

    spec!(Steps: repeat_steps::RepeatSteps { steps: 4 }, [&[3]] -> &[4, 3]);

    #[test]
    fn copies_each_step() {
        check::<Steps, RepeatSteps>(0.0, |at| Some(at[1]));
    }
}
