//! [`Accuracy`]: the fraction of right predictions.

use super::labels::{Labels, Truth};
use super::metric::Metric;
use crate::types::Values;

/// The fraction of predictions whose class is among the `k` largest scores: scikit-learn's `top_k_accuracy_score`. With
/// labels, the fraction of right answers over all labels.
///
/// Of equal scores, the one with the lower index is larger. Classes that the network does not have do not count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accuracy {
    k: usize,
    ignored: Option<u32>,
    right: u64,
    all: u64,
}

impl Accuracy {
    /// The accuracy of the largest score.
    #[must_use]
    pub const fn new() -> Self {
        Self::top(1)
    }

    /// The accuracy of the `k` largest scores.
    #[must_use]
    pub const fn top(k: usize) -> Self {
        Self { k, ignored: None, right: 0, all: 0 }
    }

    /// Ignores predictions with this target, such as the padding of a sequence.
    #[must_use]
    pub const fn ignore_index(mut self, target: u32) -> Self {
        self.ignored = Some(target);
        self
    }

    fn count(&mut self, y: &[f32], truth: Truth<'_>) {
        match truth {
            Truth::Class(class) if self.ignored == Some(class) => {}
            Truth::Class(class) => {
                let Some(score) = y.get(class as usize) else { return };
                let above = y.iter().enumerate().filter(|(other, value)| {
                    *value > score || (*value == score && *other < class as usize)
                });
                self.right += u64::from(above.count() < self.k);
                self.all += 1;
            }
            Truth::Each(answers) => {
                let pairs = y.iter().zip(answers);
                let right = pairs.filter(|(y, answer)| (**y > 0.0) == (**answer > 0.5));
                self.right += right.count() as u64;
                self.all += y.len() as u64;
            }
        }
    }
}

impl Default for Accuracy {
    fn default() -> Self {
        Self::new()
    }
}

impl<Output: Values, T: Labels<Output>> Metric<Output, T> for Accuracy {
    fn name(&self) -> &'static str {
        match self.k {
            1 => "accuracy",
            2 => "top-2 accuracy",
            3 => "top-3 accuracy",
            5 => "top-5 accuracy",
            10 => "top-10 accuracy",
            _ => "top-k accuracy",
        }
    }

    fn add(&mut self, y: &[f32], target: &T) {
        target.for_each(y, &mut |y, truth| self.count(y, truth));
    }

    fn value(&self) -> f64 {
        self.right as f64 / self.all as f64
    }

    fn reset(&mut self) {
        (self.right, self.all) = (0, 0);
    }
}
