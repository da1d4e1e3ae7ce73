//! [`LossSum`]: losses and predictions, added up over samples.

use crate::types::MAX_OUTPUTS;

/// The losses and predictions of some samples for one output, added up.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct LossSum {
    /// The number of samples.
    pub samples: usize,
    /// The sum of their weights.
    pub weight: f64,
    /// The sum of their losses.
    pub loss: f64,
    /// The number of correct predictions.
    pub correct: usize,
    /// The number of predictions; 0 for a loss that is not a classification.
    pub predictions: usize,
}

impl LossSum {
    /// The number of [values](Self::to_values).
    pub(crate) const VALUES: usize = 5;

    /// The sums as values that are added one by one. Counts are exact up to 2^53.
    pub(crate) const fn to_values(self) -> [f64; Self::VALUES] {
        let Self { samples, weight, loss, correct, predictions } = self;
        [samples as f64, weight, loss, correct as f64, predictions as f64]
    }

    pub(crate) const fn from_values(values: [f64; Self::VALUES]) -> Self {
        let [samples, weight, loss, correct, predictions] = values;
        Self {
            samples: samples as usize,
            weight,
            loss,
            correct: correct as usize,
            predictions: predictions as usize,
        }
    }

    /// The sum of both.
    #[must_use]
    pub fn with(&self, other: &Self) -> Self {
        Self {
            // Saturating: a damaged checkpoint may have any counts.
            samples: self.samples.saturating_add(other.samples),
            weight: self.weight + other.weight,
            loss: self.loss + other.loss,
            correct: self.correct.saturating_add(other.correct),
            predictions: self.predictions.saturating_add(other.predictions),
        }
    }

    /// The mean loss: 0 if the weights of all samples are 0, NaN if there are no samples.
    #[must_use]
    pub fn mean_loss(&self) -> f64 {
        if self.samples > 0 && self.weight == 0.0 { 0.0 } else { self.loss / self.weight }
    }

    /// The fraction of correct predictions, if there are any predictions.
    #[must_use]
    pub fn accuracy(&self) -> Option<f64> {
        (self.predictions > 0).then(|| self.correct as f64 / self.predictions as f64)
    }
}

/// A [`LossSum`] for each output of a network. A network with one output uses the first.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct LossSums(pub [LossSum; MAX_OUTPUTS]);

impl LossSums {
    /// The sum of both, output by output.
    #[must_use]
    pub fn with(&self, other: &Self) -> Self {
        Self(std::array::from_fn(|output| self.0[output].with(&other.0[output])))
    }

    /// The sum of the mean losses of all outputs; NaN if there are no samples.
    #[must_use]
    pub fn mean_loss(&self) -> f64 {
        let [first, more @ ..] = &self.0;
        let more = more.iter().filter(|output| output.samples > 0);
        more.fold(first.mean_loss(), |sum, output| sum + output.mean_loss())
    }

    /// The fraction of correct predictions over all outputs, if there are any predictions.
    #[must_use]
    pub fn accuracy(&self) -> Option<f64> {
        self.0.iter().fold(LossSum::default(), |sum, output| sum.with(output)).accuracy()
    }
}
