//! [`Precision`], [`Recall`], [`F1`] and [`IoU`]: errors of each class, averaged.

use super::labels::{Labels, Truth};
use super::metric::Metric;
use crate::loss::largest;
use crate::types::Values;

/// How the classes are averaged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Average {
    /// The mean over the classes.
    Macro,
    /// Over the predictions of all classes.
    Micro,
}

/// Predictions of one class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Counts {
    true_positives: u64,
    false_positives: u64,
    false_negatives: u64,
}

impl Counts {
    const fn with(self, other: Self) -> Self {
        Self {
            true_positives: self.true_positives + other.true_positives,
            false_positives: self.false_positives + other.false_positives,
            false_negatives: self.false_negatives + other.false_negatives,
        }
    }

    fn precision(self) -> f64 {
        ratio(self.true_positives, self.true_positives + self.false_positives)
    }

    fn recall(self) -> f64 {
        ratio(self.true_positives, self.true_positives + self.false_negatives)
    }

    fn f1(self) -> f64 {
        let twice = 2 * self.true_positives;
        ratio(twice, twice + self.false_positives + self.false_negatives)
    }

    fn iou(self) -> f64 {
        let all = self.true_positives + self.false_positives + self.false_negatives;
        ratio(self.true_positives, all)
    }

    /// Whether the class is in any target or prediction.
    fn occurs(self) -> bool {
        self != Self::default()
    }
}

/// As scikit-learn's `zero_division=0`.
fn ratio(part: u64, all: u64) -> f64 {
    if all == 0 { 0.0 } else { part as f64 / all as f64 }
}

/// The counts of all classes.
#[derive(Clone, Debug, PartialEq, Eq)]
struct ClassCounts {
    average: Average,
    ignored: Option<u32>,
    classes: Vec<Counts>,
}

impl ClassCounts {
    const fn new(average: Average) -> Self {
        Self { average, ignored: None, classes: Vec::new() }
    }

    fn add<Output: Values, T: Labels<Output>>(&mut self, y: &[f32], target: &T) {
        self.classes.resize(T::CLASSES, Counts::default());
        target.for_each(y, &mut |y, truth| self.count(y, truth));
    }

    fn count(&mut self, y: &[f32], truth: Truth<'_>) {
        match truth {
            Truth::Class(class) if self.ignored == Some(class) => {}
            Truth::Class(class) => {
                let (class, predicted) = (class as usize, largest(y));
                if class == predicted {
                    self.classes[class].true_positives += 1;
                } else if class < self.classes.len() {
                    self.classes[predicted].false_positives += 1;
                    self.classes[class].false_negatives += 1;
                }
            }
            Truth::Each(answers) => {
                for ((y, answer), counts) in y.iter().zip(answers).zip(&mut self.classes) {
                    match (*y > 0.0, *answer > 0.5) {
                        (true, true) => counts.true_positives += 1,
                        (true, false) => counts.false_positives += 1,
                        (false, true) => counts.false_negatives += 1,
                        (false, false) => {}
                    }
                }
            }
        }
    }

    fn value(&self, measure: fn(Counts) -> f64) -> f64 {
        let classes = self.classes.iter().copied();
        match self.average {
            Average::Micro => measure(classes.fold(Counts::default(), Counts::with)),
            Average::Macro => {
                let occurring = classes.filter(|counts| counts.occurs());
                let (sum, count) = occurring
                    .fold((0.0, 0_u32), |(sum, count), counts| (sum + measure(counts), count + 1));
                sum / f64::from(count)
            }
        }
    }
}

macro_rules! averages {
    ($($(#[$doc:meta])* $Name:ident $measure:ident $macro_name:literal $micro_name:literal,)*) => {$(
        $(#[$doc])*
        ///
        /// A measure that divides by 0 is 0, and classes that are in no target and in no prediction do not count, as in
        /// scikit-learn.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct $Name(ClassCounts);

        impl $Name {
            /// The mean over the classes, whatever their frequency.
            #[must_use]
            pub const fn macro_average() -> Self {
                Self(ClassCounts::new(Average::Macro))
            }

            /// Over the predictions of all classes together. With one class for each prediction, this is the accuracy.
            #[must_use]
            pub const fn micro_average() -> Self {
                Self(ClassCounts::new(Average::Micro))
            }

            /// Ignores predictions with this target, such as the padding of a sequence.
            #[must_use]
            pub fn ignore_index(mut self, target: u32) -> Self {
                self.0.ignored = Some(target);
                self
            }
        }

        impl<Output: Values, T: Labels<Output>> Metric<Output, T> for $Name {
            fn name(&self) -> &'static str {
                match self.0.average {
                    Average::Macro => $macro_name,
                    Average::Micro => $micro_name,
                }
            }

            fn add(&mut self, y: &[f32], target: &T) {
                self.0.add(y, target);
            }

            fn value(&self) -> f64 {
                self.0.value(Counts::$measure)
            }

            fn reset(&mut self) {
                self.0.classes.clear();
            }
        }
    )*};
}

averages! {
    /// The fraction of predictions of a class that are right, averaged over the classes.
    Precision precision "precision (macro)" "precision (micro)",
    /// The fraction of samples of a class that are predicted as such, averaged over the classes.
    Recall recall "recall (macro)" "recall (micro)",
    /// The harmonic mean of precision and recall of a class, averaged over the classes.
    F1 f1 "F1 (macro)" "F1 (micro)",
    /// Intersection over union (Jaccard index) of a class: of the predictions and targets that are of the class, the
    /// fraction where both are, averaged over the classes. The usual measure of segmentation.
    IoU iou "IoU (macro)" "IoU (micro)",
}
