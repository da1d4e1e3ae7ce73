//! Losses: what training makes small. Averaged over the batch: the sum of its samples' losses divided by
//! the sum of their weights.

mod binary_cross_entropy;
mod cosine_similarity;
mod cross_entropy;
mod huber;
mod mean_absolute_error;
mod mean_squared_error;
mod mixed;
mod several;

pub use binary_cross_entropy::BinaryCrossEntropyWithLogits;
pub use cosine_similarity::CosineSimilarity;
pub(crate) use cross_entropy::largest;
pub use cross_entropy::{CrossEntropy, Scores};
pub use huber::Huber;
pub use mean_absolute_error::MeanAbsoluteError;
pub use mean_squared_error::MeanSquaredError;
pub use mixed::{Mixed, MixedTarget};
pub use several::Weighted;

use crate::types::{MAX_OUTPUTS, Values};

/// A loss on outputs of type `Output`.
pub trait Loss<Output: Values>: Sync {
    /// What an output is compared with: a class number, an array.
    type Target: Copy + Send + Sync;

    /// Says what is wrong with a target, such as a class number out of range.
    ///
    /// # Errors
    /// With a sentence that names what was expected and what was found.
    fn check(&self, target: &Self::Target) -> Result<(), String>;

    /// The loss of one sample, and `d_y`, its gradient times `scale`. Of a sequence, `y` and `d_y` hold the
    /// valid steps alone, while a target holds all: what lies behind them counts for nothing.
    fn sample(&self, y: &[f32], target: &Self::Target, scale: f32, d_y: &mut [f32]) -> f64;

    /// How much a sample weighs in the mean over the batch, with the first `steps` steps of its output
    /// valid: their share of all steps, 1 for an output that is whole. A sample that weighs 0 must have
    /// no loss.
    fn weight(&self, target: &Self::Target, steps: usize) -> f64 {
        let _ = target;
        steps as f64 / all_steps::<Output>() as f64
    }

    /// How many of a sample's predictions are right, and how many it makes: `(1, 1)` for the right
    /// class. Nothing is counted where the loss is none of a classification. `y` is as in
    /// [`sample`](Self::sample).
    fn correct(&self, y: &[f32], target: &Self::Target) -> (usize, usize) {
        let _ = (y, target);
        (0, 0)
    }

    /// Adds up how much a sample weighs for each output of the network, of which `steps` are valid.
    fn add_weights(&self, target: &Self::Target, steps: &[usize], weights: &mut [f64]) {
        weights[0] += self.weight(target, steps[0]);
    }

    /// Counts a sample for each output of the network, of which `steps` are valid, and writes the gradient
    /// of all their losses, each times its scale, to `d_y`.
    fn tally(
        &self,
        y: &[f32],
        target: &Self::Target,
        steps: &[usize],
        scales: &[f32],
        d_y: &mut [f32],
        tallies: &mut Tallies,
    ) where
        Self: Sized,
    {
        tallies.0[0].count(self, y, target, steps[0], scales[0], d_y);
    }
}

/// For how many steps there is room in outputs: the length of their first axis, 1 if they are numbers.
pub(crate) const fn all_steps<Output: Values>() -> usize {
    if Output::SHAPE.rank() == 0 { 1 } else { Output::SHAPE.dim(0) }
}

/// What a loss said of some samples, added up.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Tally {
    /// How many samples.
    pub samples: usize,
    /// The sum of their weights.
    pub weight: f64,
    /// The sum of their losses.
    pub loss: f64,
    /// How many predictions were right.
    pub correct: usize,
    /// How many predictions there were; none if the loss is none of a classification.
    pub predictions: usize,
}

impl Tally {
    /// Counts one sample, of whose output the first `steps` steps are valid, and writes the gradient of
    /// its loss times `scale` to `d_y`: zeros behind them.
    pub fn count<Output: Values, L: Loss<Output>>(
        &mut self,
        loss: &L,
        y: &[f32],
        target: &L::Target,
        steps: usize,
        scale: f32,
        d_y: &mut [f32],
    ) {
        let valid = steps * (y.len() / all_steps::<Output>());
        let (y, (d_y, behind)) = (&y[..valid], d_y.split_at_mut(valid));
        behind.fill(0.0);
        let (correct, predictions) = loss.correct(y, target);
        let weight = loss.weight(target, steps);
        let loss = loss.sample(y, target, scale, d_y);
        *self = self.with(&Self { samples: 1, weight, loss, correct, predictions });
    }

    /// This and what was counted elsewhere.
    #[must_use]
    pub fn with(&self, other: &Self) -> Self {
        Self {
            samples: self.samples + other.samples,
            weight: self.weight + other.weight,
            loss: self.loss + other.loss,
            correct: self.correct + other.correct,
            predictions: self.predictions + other.predictions,
        }
    }

    /// The mean loss; 0 if no sample has any weight, not a number if there was none.
    #[must_use]
    pub fn mean_loss(&self) -> f64 {
        if self.samples > 0 && self.weight == 0.0 { 0.0 } else { self.loss / self.weight }
    }

    /// The share of right predictions, from 0 to 1.
    #[must_use]
    pub fn accuracy(&self) -> Option<f64> {
        (self.predictions > 0).then(|| self.correct as f64 / self.predictions as f64)
    }
}

/// What the losses of all outputs of a network said of some samples; all of a network with one output
/// stands first.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Tallies(pub [Tally; MAX_OUTPUTS]);

impl Tallies {
    /// This and what was counted elsewhere.
    #[must_use]
    pub fn with(&self, other: &Self) -> Self {
        Self(std::array::from_fn(|output| self.0[output].with(&other.0[output])))
    }

    /// The sum of the mean losses of all outputs; not a number if there was no sample.
    #[must_use]
    pub fn mean_loss(&self) -> f64 {
        let [first, more @ ..] = &self.0;
        let more = more.iter().filter(|output| output.samples > 0);
        more.fold(first.mean_loss(), |sum, output| sum + output.mean_loss())
    }

    /// The share of right predictions of all outputs, from 0 to 1.
    #[must_use]
    pub fn accuracy(&self) -> Option<f64> {
        self.0.iter().fold(Tally::default(), |sum, output| sum.with(output)).accuracy()
    }
}

/// Says which of a target's numbers is not finite.
fn check_finite(target: &[f32]) -> Result<(), String> {
    match target.iter().position(|t| !t.is_finite()) {
        Some(i) => Err(format!("expected finite numbers, found {} at place {i}", target[i])),
        None => Ok(()),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Compares a loss's gradient with differences of the loss, and the loss with `expected`.
    pub(crate) fn check<O: Values, L: Loss<O>>(loss: &L, y: &O, target: &L::Target, expected: f64) {
        assert_eq!(loss.check(target), Ok(()));
        let mut d_y = vec![f32::NAN; O::LEN];
        let found = loss.sample(y.as_floats(), target, 0.5, &mut d_y);
        assert!((found - expected).abs() < 1e-6 * expected.abs().max(1.0), "{found} {expected}");
        let mut moved = *y;
        let mut unused = vec![0.0; O::LEN];
        for (i, d) in d_y.iter().enumerate() {
            let mut at = |shift: f32| {
                moved.as_floats_mut()[i] = y.as_floats()[i] + shift;
                loss.sample(moved.as_floats(), target, 1.0, &mut unused)
            };
            let numeric = (at(1e-2) - at(-1e-2)) / 2e-2;
            moved.as_floats_mut()[i] = y.as_floats()[i];
            let analytic = 2.0 * f64::from(*d);
            assert!((numeric - analytic).abs() < 2e-4, "{i}: {numeric} {analytic}");
        }
    }
    /// Compares the mean loss of a batch with `expected`, and its gradient with differences of the mean.
    pub(crate) fn check_batch<O: Values, L: Loss<O>>(
        loss: &L,
        ys: &[O],
        targets: &[L::Target],
        expected: f64,
    ) {
        let steps = all_steps::<O>();
        let total: f64 = targets.iter().map(|target| loss.weight(target, steps)).sum();
        let mut d_y = vec![f32::NAN; O::LEN];
        let mut mean = |ys: &[O]| {
            let mut tally = Tally::default();
            for (y, target) in ys.iter().zip(targets) {
                assert_eq!(loss.check(target), Ok(()));
                tally.count(loss, y.as_floats(), target, steps, 1.0, &mut d_y);
            }
            tally.mean_loss()
        };
        let found = mean(ys);
        assert!((found - expected).abs() < 1e-6 * expected.abs().max(1.0), "{found} {expected}");
        let mut d_y = vec![f32::NAN; O::LEN];
        for (sample, y) in ys.iter().enumerate() {
            loss.sample(y.as_floats(), &targets[sample], (1.0 / total) as f32, &mut d_y);
            for (i, d) in d_y.iter().enumerate() {
                let mut at = |shift: f32| {
                    let mut moved = ys.to_vec();
                    moved[sample].as_floats_mut()[i] += shift;
                    mean(&moved)
                };
                let numeric = (at(1e-2) - at(-1e-2)) / 2e-2;
                assert!((numeric - f64::from(*d)).abs() < 2e-4, "{sample}, {i}: {numeric} {d}");
            }
        }
    }

    #[test]
    fn what_lies_behind_the_valid_steps_counts_for_nothing() {
        let mut tally = Tally::default();
        let (y, target) = ([[1.0_f32, 2.0], [5.0, 5.0]], [[0.0, 0.0], [f32::MAX, 0.0]]);
        let mut d_y = [f32::NAN; 4];
        tally.count(&MeanSquaredError, y.as_floats(), &target, 1, 2.0, &mut d_y);
        // The mean over the two valid numbers is 2.5, with half the weight of a whole sample.
        assert_eq!((tally.weight, tally.mean_loss()), (0.5, 2.5));
        assert_eq!(d_y, [1.0, 2.0, 0.0, 0.0]);
    }
}
