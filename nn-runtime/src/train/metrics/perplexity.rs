//! [`Perplexity`]: the exponential of the mean cross-entropy.

use super::labels::{Labels, Truth};
use super::metric::Metric;
use crate::types::Values;

/// The exponential of the mean cross-entropy of all predictions, from scores (logits): that of a language model over its
/// tokens. Classes that the network does not have do not count; labels neither.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Perplexity {
    ignored: Option<u32>,
    sum: f64,
    count: u64,
}

impl Perplexity {
    /// Before the first sample.
    #[must_use]
    pub const fn new() -> Self {
        Self { ignored: None, sum: 0.0, count: 0 }
    }

    /// Ignores predictions with this target, such as the padding of a sequence.
    #[must_use]
    pub const fn ignore_index(mut self, target: u32) -> Self {
        self.ignored = Some(target);
        self
    }

    fn count(&mut self, y: &[f32], truth: Truth<'_>) {
        let Truth::Class(class) = truth else { return };
        let Some(score) = y.get(class as usize) else { return };
        if self.ignored != Some(class) {
            let largest = y.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            let exp = |y: &f32| f64::from(y - largest).exp();
            let log_sum = f64::from(largest) + y.iter().map(exp).sum::<f64>().ln();
            self.sum += log_sum - f64::from(*score);
            self.count += 1;
        }
    }
}

impl<Output: Values, T: Labels<Output>> Metric<Output, T> for Perplexity {
    fn name(&self) -> &'static str {
        "perplexity"
    }

    fn add(&mut self, y: &[f32], target: &T) {
        target.for_each(y, &mut |y, truth| self.count(y, truth));
    }

    fn value(&self) -> f64 {
        (self.sum / self.count as f64).exp()
    }

    fn reset(&mut self) {
        (self.sum, self.count) = (0.0, 0);
    }
}
