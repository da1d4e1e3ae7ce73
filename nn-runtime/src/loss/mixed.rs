//! [`Mixed`]: a loss for samples that are mixtures of two.

use super::loss_sum::{LossSum, LossSums};
use super::loss_trait::{Loss, OutputSample};
use super::scratch::with_scratch;
use super::target_error::TargetError;
use crate::types::{MAX_OUTPUTS, Values};

/// A loss for samples mixed from two by [`mixup`](crate::data::mixup): the losses against both targets, weighted
/// by the shares of the samples.
///
/// ```
/// # use unrolled_runtime::{InferenceExt, FilesExt, Network, TrainingExt, data::*, loss::*, optim::*, train::*};
/// # fn example<N: Network<Input = [f32; 4], Output = [f32; 2]>>(
/// #     mut net: Box<N>, train: Data<[f32; 4], u32>,
/// # ) -> Result<(), TrainError> {
/// let mixed = mixup(&train, 0.2, 7);
/// Trainer::new(Adam::new(1e-3)).fit(&mut net, &mixed, &Mixed(CrossEntropy::new()))?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Mixed<L>(pub L);

/// The targets of a mixture of two samples.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MixedTarget<Target> {
    /// The target of the first sample.
    pub first: Target,
    /// The target of the second sample.
    pub second: Target,
    /// The share of the second sample, from 0 to 1.
    pub share: f32,
}

impl<Target> MixedTarget<Target> {
    /// Appends a target field by field. As a value, one larger than the stack would overflow it.
    pub(crate) fn push(targets: &mut Vec<Self>, [first, second]: [&Target; 2], share: f32)
    where
        Target: Copy,
    {
        targets.reserve(1);
        let len = targets.len();
        let new = targets.spare_capacity_mut()[0].as_mut_ptr();
        // SAFETY: `new` is memory for one element after the last one, and all of its fields are written before it
        // counts as an element; the references are to other memory, and their targets are `Copy`.
        unsafe {
            (&raw mut (*new).first).copy_from_nonoverlapping(first, 1);
            (&raw mut (*new).second).copy_from_nonoverlapping(second, 1);
            (&raw mut (*new).share).write(share);
            targets.set_len(len + 1);
        }
    }

    /// Both targets with their shares.
    fn parts(&self) -> [(&Target, f32); 2] {
        [(&self.first, 1.0 - self.share), (&self.second, self.share)]
    }

    /// That of the first and the second sample with the larger share, whose predictions count.
    fn larger<T>(&self, first: T, second: T) -> T {
        if self.share > 0.5 { second } else { first }
    }

    /// The sums of the mixture, given those against either target.
    fn mixed(&self, first: LossSum, second: LossSum) -> LossSum {
        let [(_, rest), (_, share)] = self.parts();
        let mix = |first, second| f64::from(rest) * first + f64::from(share) * second;
        LossSum {
            weight: mix(first.weight, second.weight),
            loss: mix(first.loss, second.loss),
            ..self.larger(first, second)
        }
    }
}

#[diagnostic::do_not_recommend]
impl<Output: Values, L: Loss<Output>> Loss<Output> for Mixed<L> {
    type Target = MixedTarget<L::Target>;

    fn applies(&self) -> Option<&'static str> {
        self.0.applies()
    }

    fn check(&self, target: &Self::Target) -> Result<(), TargetError> {
        if !(0.0..=1.0).contains(&target.share) {
            return Err(TargetError::Share { found: target.share });
        }
        self.0.check(&target.first)?;
        self.0.check(&target.second)
    }

    fn sample(&self, y: &[f32], target: &Self::Target, scale: f32, d_y: &mut [f32]) -> f64 {
        let [(first, rest), (second, share)] = target.parts();
        let loss = self.0.sample(y, first, scale * rest, d_y);
        // Not on the stack, which may be smaller than an output.
        let other = with_scratch([y.len()], |[d_second]| {
            let other = self.0.sample(y, second, scale * share, d_second);
            crate::kernels::add_to(d_y, d_second);
            other
        });
        f64::from(rest) * loss + f64::from(share) * other
    }

    fn weight(&self, target: &Self::Target, steps: usize) -> f64 {
        let weight = |(part, share)| f64::from(share) * self.0.weight(part, steps);
        target.parts().into_iter().map(weight).sum()
    }

    /// Counts predictions against the target with the larger share.
    fn correct(&self, y: &[f32], target: &Self::Target) -> (usize, usize) {
        self.0.correct(y, target.larger(&target.first, &target.second))
    }

    fn add_weights(&self, target: &Self::Target, steps: &[usize], weights: &mut [f64]) {
        for (part, share) in target.parts() {
            let mut own = [0.0; MAX_OUTPUTS];
            self.0.add_weights(part, steps, &mut own);
            for (weight, own) in weights.iter_mut().zip(own) {
                *weight += f64::from(share) * own;
            }
        }
    }

    fn accumulate(&self, sample: OutputSample<'_, Self::Target>, sums: &mut LossSums) {
        let OutputSample { y, target, steps, scales, d_y } = sample;
        let add = |(target, share), d_y: &mut [f32]| {
            let mut sums = LossSums::default();
            let sample = OutputSample { y, target, steps, scales, d_y };
            sample.scaled(share, |sample| self.0.accumulate(sample, &mut sums));
            sums.0
        };
        let [first, second] = target.parts();
        let first = add(first, d_y);
        let second = with_scratch([y.len()], |[d_second]| {
            let sums = add(second, d_second);
            crate::kernels::add_to(d_y, d_second);
            sums
        });
        for ((sum, first), second) in sums.0.iter_mut().zip(first).zip(second) {
            *sum = sum.with(&target.mixed(first, second));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::CrossEntropy;
    use super::super::tests::check;
    use super::*;

    // Expected value: scripts/losses.py, PyTorch in float64, which takes probabilities as targets.
    #[test]
    fn agrees_with_pytorch() {
        let target = MixedTarget { first: 2_u32, second: 1, share: 0.25 };
        check(&Mixed(CrossEntropy::new()), &[0.5, -1.25, 2.0, 0.75], &target, 1.2497280586139026);
    }

    #[test]
    fn nothing_of_the_second_is_the_first_alone() {
        let (y, mut d_y, mut d_first) = ([0.5, -1.25, 2.0], [f32::NAN; 3], [f32::NAN; 3]);
        let loss = CrossEntropy::new();
        let mixed = MixedTarget { first: 2_u32, second: 1, share: 0.0 };
        let found = Loss::<[f32; 3]>::sample(&Mixed(loss.clone()), &y, &mixed, 2.0, &mut d_y);
        let expected = Loss::<[f32; 3]>::sample(&loss, &y, &2, 2.0, &mut d_first);
        assert_eq!((found, d_y), (expected, d_first));
    }

    #[test]
    fn the_larger_part_decides_what_is_right() {
        let loss = Mixed(CrossEntropy::new());
        let correct = |share| {
            let target = MixedTarget { first: 2_u32, second: 1, share };
            Loss::<[f32; 3]>::correct(&loss, &[0.5, -1.25, 2.0], &target)
        };
        assert_eq!((correct(0.25), correct(0.75)), ((1, 1), (0, 1)));
    }

    #[test]
    fn a_share_above_1_is_refused() {
        let target = MixedTarget { first: 0_u32, second: 1, share: 1.5 };
        let error = Loss::<[f32; 3]>::check(&Mixed(CrossEntropy::new()), &target).unwrap_err();
        assert_eq!(error, TargetError::Share { found: 1.5 });
    }
}
