//! [`Scores`] and [`ClassTargets`]: what losses of class indices share.

use super::loss_trait::all_steps;
use super::target_error::TargetError;
use crate::hyper::{Range, checked, refuse};
use crate::kernels::dispatch::dispatch;
use crate::kernels::elementwise::exp;
use crate::kernels::rows;
use crate::types::Values;

/// Scores of classes, for one prediction or for several: `[f32; C]`, `[[f32; C]; T]`. It cannot be implemented for
/// other types.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not hold scores of classes",
    note = "they are `[f32; C]`, or arrays of them; a network with several outputs takes a tuple of losses, one \
            for each of them: `(CrossEntropy::new(), MeanSquaredError)`"
)]
pub trait Scores: Values + sealed::Sealed {
    /// A class index for each prediction.
    type Classes: Values;
    /// The number of classes.
    const CLASSES: usize;
}

mod sealed {
    pub trait Sealed {}
    impl<const C: usize> Sealed for [f32; C] {}
    impl<S: Sealed, const T: usize> Sealed for [S; T] {}
}

impl<const C: usize> Scores for [f32; C] {
    type Classes = u32;
    const CLASSES: usize = C;
}

impl<S: Scores, const T: usize> Scores for [S; T] {
    type Classes = [S::Classes; T];
    const CLASSES: usize = S::CLASSES;
}

/// The class indices of a target, which [`Values`] stores as the bits of floats.
fn classes_of<C: Values>(target: &C) -> impl ExactSizeIterator<Item = u32> {
    target.as_floats().iter().map(|bits| bits.to_bits())
}

/// The number of predictions in an output.
const fn predictions<S: Scores>() -> usize {
    S::LEN / S::CLASSES
}

/// How class indices count: a weight for each class, and the target that is ignored.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct ClassTargets {
    /// One for each class; empty if all classes have the weight 1.
    weights: Vec<f32>,
    pub(super) ignored: Option<u32>,
}

impl ClassTargets {
    /// All classes have the weight 1, and none is ignored.
    pub(super) const fn new() -> Self {
        Self { weights: Vec::new(), ignored: None }
    }

    /// Sets the weights of the classes. `loss` is the name of the loss in messages.
    ///
    /// # Panics
    /// If there are none, or one is not a finite number of at least 0.
    #[track_caller]
    pub(super) fn set_weights(&mut self, loss: &str, weights: &[f32]) {
        if weights.is_empty() {
            refuse(&format_args!("{loss}: class weights"), &"[]", "one weight for each class");
        }
        for weight in weights {
            checked(format_args!("{loss}: class weight"), *weight, Range::NonNegative);
        }
        self.weights = weights.to_vec();
    }

    pub(super) fn class_weight(&self, class: usize) -> f32 {
        if self.weights.is_empty() { 1.0 } else { self.weights[class] }
    }

    /// See [`Loss::check`](super::Loss::check).
    pub(super) fn check<S: Scores>(&self, target: &S::Classes) -> Result<(), TargetError> {
        let (classes, weights) = (S::CLASSES, self.weights.len());
        if weights != 0 && weights != classes {
            return Err(TargetError::ClassWeights { classes, found: weights });
        }
        let wrong = |class: &u32| *class as usize >= classes && self.ignored != Some(*class);
        match classes_of(target).find(wrong) {
            Some(found) => Err(TargetError::Class { classes, found }),
            None => Ok(()),
        }
    }

    /// The mean of the losses of all predictions of a sample. `prediction` takes the scores, the class, the factor of
    /// the gradient and the gradient to be written, and returns the loss times the weight of the class.
    pub(super) fn mean<S: Scores>(
        &self,
        y: &[f32],
        target: &S::Classes,
        scale: f32,
        d_y: &mut [f32],
        prediction: impl Fn(&[f32], u32, f32, &mut [f32]) -> f64,
    ) -> f64 {
        let predictions = predictions::<S>();
        let scale = scale / predictions as f32;
        let rows = y.chunks_exact(S::CLASSES).zip(d_y.chunks_exact_mut(S::CLASSES));
        let mut sum = 0.0;
        for ((y, d_y), target) in rows.zip(classes_of(target)) {
            if self.ignored == Some(target) {
                d_y.fill(0.0);
            } else {
                sum += prediction(y, target, scale, d_y);
            }
        }
        sum / predictions as f64
    }

    /// See [`Loss::weight`](super::Loss::weight): each prediction has the weight of its class.
    pub(super) fn weight<S: Scores>(&self, target: &S::Classes, steps: usize) -> f64 {
        let predictions = predictions::<S>();
        let valid = steps * S::LEN / all_steps::<S>() / S::CLASSES;
        if self.weights.is_empty() && self.ignored.is_none() {
            return valid as f64 / predictions as f64;
        }
        let weights = classes_of(target).take(valid).map(|t| f64::from(self.weight_of(t)));
        weights.sum::<f64>() / predictions as f64
    }

    /// The weight of a prediction with this target.
    fn weight_of(&self, target: u32) -> f32 {
        if self.ignored == Some(target) { 0.0 } else { self.class_weight(target as usize) }
    }

    /// See [`Loss::correct`](super::Loss::correct).
    pub(super) fn correct<S: Scores>(&self, y: &[f32], target: &S::Classes) -> (usize, usize) {
        let rows = y.chunks_exact(S::CLASSES).zip(classes_of(target));
        let counted = rows.filter(|(_, target)| self.ignored != Some(*target));
        counted.fold((0, 0), |(right, all), (y, target)| {
            (right + usize::from(is_largest(y, target as usize)), all + 1)
        })
    }
}

/// The settings of a loss whose class indices are [`ClassTargets`]; `$name` is its name in messages.
macro_rules! class_settings {
    ($name:literal) => {
        /// Sets a weight for each class, larger for a rare one.
        ///
        /// # Panics
        /// If there are none, or one is not a finite number of at least 0.
        #[must_use]
        #[track_caller]
        pub fn class_weights(mut self, weights: &[f32]) -> Self {
            self.targets.set_weights($name, weights);
            self
        }

        /// Ignores predictions with this target, which need not be a class index, such as the padding of a sequence.
        /// They count neither for the loss nor for the accuracy.
        #[must_use]
        pub const fn ignore_index(mut self, target: u32) -> Self {
            self.targets.ignored = Some(target);
            self
        }
    };
}

/// [`Loss`](super::Loss) for a type with [`ClassTargets`], from the method `prediction`, which returns the loss of one
/// prediction, times its weight, and writes its gradient times `scale`. `$applies` is the layer that the loss applies.
macro_rules! class_loss {
    ($Loss:ident, $applies:expr) => {
        #[diagnostic::do_not_recommend]
        impl<S: $crate::loss::classes::Scores> $crate::loss::loss_trait::Loss<S> for $Loss {
            type Target = S::Classes;

            fn applies(&self) -> Option<&'static str> {
                $applies
            }

            fn check(
                &self,
                target: &S::Classes,
            ) -> Result<(), $crate::loss::target_error::TargetError> {
                self.targets.check::<S>(target)
            }

            fn sample(&self, y: &[f32], target: &S::Classes, scale: f32, d_y: &mut [f32]) -> f64 {
                self.targets.mean::<S>(y, target, scale, d_y, |y, target, scale, d_y| {
                    self.prediction(y, target as usize, scale, d_y)
                })
            }

            fn weight(&self, target: &S::Classes, steps: usize) -> f64 {
                self.targets.weight::<S>(target, steps)
            }

            fn correct(&self, y: &[f32], target: &S::Classes) -> (usize, usize) {
                self.targets.correct::<S>(y, target)
            }
        }
    };
}

pub(super) use {class_loss, class_settings};

dispatch! {
    /// Turns scores into `exp(score - largest)`, and writes the largest score and the sum to `totals`. Subtracting the
    /// largest keeps the exponentials from overflowing.
    pub(super) fn exponentials<L>(scores: &mut [f32], totals: &mut [f32; 2]) {
        let largest = rows::max(scores);
        for score in scores.iter_mut() {
            *score = exp::<L>(*score - largest);
        }
        *totals = [largest, rows::sum(scores)];
    }
}

/// The index of the largest value: the first one if several are equal.
pub(crate) fn largest(y: &[f32]) -> usize {
    let mut best = 0;
    for (i, value) in y.iter().enumerate() {
        if *value > y[best] {
            best = i;
        }
    }
    best
}

/// Whether [`largest`] is `at`; false if a value is NaN. Faster than a search for the largest, in which each comparison
/// depends on the one before.
fn is_largest(y: &[f32], at: usize) -> bool {
    let Some(value) = y.get(at) else { return false };
    let (before, after) = y.split_at(at);
    before.iter().fold(true, |all, other| all & (other < value))
        & after.iter().fold(true, |all, other| all & (other <= value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_equal_values_is_the_largest() {
        for y in [[3.0, 1.0, 3.0], [1.0, 2.0, 2.0], [0.0; 3], [-1.0, -2.0, -0.5]] {
            let found: Vec<_> = (0..4).filter(|at| is_largest(&y, *at)).collect();
            assert_eq!(found, [largest(&y)], "{y:?}");
        }
        assert!((0..3).all(|at| !is_largest(&[0.0, f32::NAN, 1.0], at)));
    }
}
