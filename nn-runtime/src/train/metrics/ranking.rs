//! [`RocAuc`] and [`AveragePrecision`]: how well scores order samples.

use super::labels::{Labels, Truth};
use super::metric::Metric;
use crate::types::Values;

/// The scores of all samples, and whether each is of the class: eight bytes for each sample and class.
#[derive(Clone, Debug, Default, PartialEq)]
struct Ranking {
    classes: Vec<Vec<(f32, bool)>>,
}

impl Ranking {
    fn add<Output: Values, T: Labels<Output>>(&mut self, y: &[f32], target: &T) {
        target.for_each(y, &mut |y, truth| self.count(y, truth));
    }

    fn count(&mut self, y: &[f32], truth: Truth<'_>) {
        match truth {
            Truth::Class(class) if class as usize >= y.len() => {}
            // Of two classes, the second one alone: both have the same order.
            Truth::Class(class) if y.len() == 2 => self.push(0, y[1] - y[0], class == 1),
            Truth::Class(class) => {
                for other in 0..y.len() {
                    self.push(other, log_odds(y, other), class as usize == other);
                }
            }
            Truth::Each(answers) => {
                for (label, (y, answer)) in y.iter().zip(answers).enumerate() {
                    self.push(label, *y, *answer > 0.5);
                }
            }
        }
    }

    fn push(&mut self, class: usize, score: f32, positive: bool) {
        if self.classes.len() <= class {
            self.classes.resize(class + 1, Vec::new());
        }
        self.classes[class].push((score, positive));
    }

    /// The mean of a measure over the classes.
    fn value(&self, measure: fn(&[Group]) -> f64) -> f64 {
        let of_class = |samples: &Vec<(f32, bool)>| measure(&groups(samples.clone()));
        self.classes.iter().map(of_class).sum::<f64>() / self.classes.len() as f64
    }
}

/// A number in the order of a class's softmax probability, without its rounding to 0 and 1.
fn log_odds(y: &[f32], class: usize) -> f32 {
    let others = || y.iter().enumerate().filter(|(other, _)| *other != class).map(|(_, y)| *y);
    let largest = others().fold(f32::NEG_INFINITY, f32::max);
    let sum: f64 = others().map(|other| f64::from(other - largest).exp()).sum();
    (f64::from(y[class]) - f64::from(largest) - sum.ln()) as f32
}

/// Samples of one score: their numbers in the class and outside of it.
type Group = (u64, u64);

/// The groups of equal scores, from the highest score to the lowest.
fn groups(mut samples: Vec<(f32, bool)>) -> Vec<Group> {
    samples.sort_unstable_by(|a, b| b.0.total_cmp(&a.0));
    let equal = samples.chunk_by(|a, b| a.0 == b.0);
    let counts = equal.map(|group| {
        let positive = group.iter().filter(|(_, positive)| *positive).count() as u64;
        (positive, group.len() as u64 - positive)
    });
    counts.collect()
}

/// The probability that a sample of the class has a higher score than another one, where equal scores count as half.
fn area_under_roc(groups: &[Group]) -> f64 {
    let (mut above, mut area, mut negatives) = (0_u64, 0.0, 0_u64);
    for (positive, negative) in groups {
        area += *negative as f64 * (above as f64 + *positive as f64 / 2.0);
        above += positive;
        negatives += negative;
    }
    area / (above as f64 * negatives as f64)
}

/// The sum of the precision at each score, times the rise of the recall.
fn average_precision(groups: &[Group]) -> f64 {
    let (mut positives, mut all, mut sum) = (0_u64, 0_u64, 0.0);
    for (positive, negative) in groups {
        positives += positive;
        all += positive + negative;
        sum += *positive as f64 * positives as f64 / all as f64;
    }
    sum / positives as f64
}

macro_rules! rankings {
    ($($(#[$doc:meta])* $Name:ident $measure:ident $name:literal,)*) => {$(
        $(#[$doc])*
        ///
        /// Of two classes it is that of the second one, of more the mean of each against all others by the order of their
        /// softmax probabilities, of labels the mean over the labels. It stores eight bytes for each sample and class, and
        /// is NaN if a class has no sample or all.
        #[derive(Clone, Debug, Default, PartialEq)]
        pub struct $Name(Ranking);

        impl $Name {
            /// Before the first sample.
            #[must_use]
            pub const fn new() -> Self {
                Self(Ranking { classes: Vec::new() })
            }
        }

        impl<Output: Values, T: Labels<Output>> Metric<Output, T> for $Name {
            fn name(&self) -> &'static str {
                $name
            }

            fn add(&mut self, y: &[f32], target: &T) {
                self.0.add(y, target);
            }

            fn value(&self) -> f64 {
                self.0.value($measure)
            }

            fn reset(&mut self) {
                self.0.classes.clear();
            }
        }
    )*};
}

rankings! {
    /// The area under the receiver operating characteristic: the probability that a sample of a class has a higher score
    /// than one of another class. scikit-learn's `roc_auc_score(multi_class="ovr")`.
    RocAuc area_under_roc "ROC AUC",
    /// The area under the curve of precision over recall, as a sum of steps. scikit-learn's `average_precision_score`.
    AveragePrecision average_precision "average precision",
}
