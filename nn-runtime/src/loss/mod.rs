//! Losses: what training makes small. Averaged over the batch.

mod binary_cross_entropy;
mod cross_entropy;
mod mean_squared_error;

pub use binary_cross_entropy::BinaryCrossEntropyWithLogits;
pub(crate) use cross_entropy::largest;
pub use cross_entropy::{CrossEntropy, Scores};
pub use mean_squared_error::MeanSquaredError;

use crate::Values;

/// A loss on outputs of type `Output`.
pub trait Loss<Output: Values>: Sync {
    /// What an output is compared with: a class number, an array.
    type Target: Copy + Send + Sync;

    /// Says what is wrong with a target, such as a class number out of range.
    ///
    /// # Errors
    /// With a sentence that names what was expected and what was found.
    fn check(&self, target: &Self::Target) -> Result<(), String>;

    /// The loss of one sample, and `d_y`, its gradient times `scale`.
    fn sample(&self, y: &[f32], target: &Self::Target, scale: f32, d_y: &mut [f32]) -> f64;

    /// How many of a sample's predictions are right, and how many it makes: `(1, 1)` for the right
    /// class. Nothing is counted where the loss is none of a classification.
    fn correct(&self, y: &[f32], target: &Self::Target) -> (usize, usize) {
        let _ = (y, target);
        (0, 0)
    }
}

/// What a loss said of some samples, added up.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Tally {
    /// How many samples.
    pub samples: usize,
    /// The sum of their losses.
    pub loss: f64,
    /// How many predictions were right.
    pub correct: usize,
    /// How many predictions there were; none if the loss is none of a classification.
    pub predictions: usize,
}

impl Tally {
    /// Counts one sample, and writes the gradient of its loss times `scale` to `d_y`.
    pub fn count<Output: Values, L: Loss<Output>>(
        &mut self,
        loss: &L,
        y: &[f32],
        target: &L::Target,
        scale: f32,
        d_y: &mut [f32],
    ) {
        let (correct, predictions) = loss.correct(y, target);
        let loss = loss.sample(y, target, scale, d_y);
        *self = self.with(&Self { samples: 1, loss, correct, predictions });
    }

    /// This and what was counted elsewhere.
    #[must_use]
    pub fn with(&self, other: &Self) -> Self {
        Self {
            samples: self.samples + other.samples,
            loss: self.loss + other.loss,
            correct: self.correct + other.correct,
            predictions: self.predictions + other.predictions,
        }
    }

    /// The mean loss; not a number if nothing was counted.
    #[must_use]
    pub fn mean_loss(&self) -> f64 {
        self.loss / self.samples as f64
    }

    /// The share of right predictions, from 0 to 1.
    #[must_use]
    pub fn accuracy(&self) -> Option<f64> {
        (self.predictions > 0).then(|| self.correct as f64 / self.predictions as f64)
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
}
