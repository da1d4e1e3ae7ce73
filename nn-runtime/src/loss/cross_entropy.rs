//! [`CrossEntropy`]: PyTorch's `nn.CrossEntropyLoss`.

use super::loss_trait::{Loss, all_steps};
use super::target_error::TargetError;
use crate::hyper::{Range, checked, refuse};
use crate::kernels::dispatch::dispatch;
use crate::kernels::elementwise::exp;
use crate::kernels::rows;
use crate::types::Values;

/// Cross-entropy of logits and a class index: `-log softmax(y)[target]`.
///
/// Takes scores (logits), not probabilities: put no `Softmax` before it.
///
/// - outputs `[f32; C]` with a class index, `u32`;
/// - sequences `[[f32; C]; T]` with one class index for each step, `[u32; T]`, averaged over the steps; images
///   likewise.
///
/// The loss of a batch is the weighted mean over all its predictions: each has the weight of its target class
/// ([`class_weights`](Self::class_weights)), and 0 if its target is ignored
/// ([`ignore_index`](Self::ignore_index)).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CrossEntropy {
    label_smoothing: f32,
    /// One for each class; empty if all classes have the weight 1.
    weights: Vec<f32>,
    ignored: Option<u32>,
}

impl CrossEntropy {
    /// Without label smoothing; all classes have the weight 1.
    #[must_use]
    pub const fn new() -> Self {
        Self { label_smoothing: 0.0, weights: Vec::new(), ignored: None }
    }

    /// Spreads `amount` of the target's probability evenly over all classes.
    ///
    /// # Panics
    /// If `amount` is not a number from 0 to 1.
    #[must_use]
    #[track_caller]
    pub fn label_smoothing(mut self, amount: f32) -> Self {
        self.label_smoothing = checked("CrossEntropy: label smoothing", amount, Range::Fraction);
        self
    }

    /// Sets a weight for each class, larger for a rare one.
    ///
    /// # Panics
    /// If there are none, or one is not a finite number of at least 0.
    #[must_use]
    #[track_caller]
    pub fn class_weights(mut self, weights: &[f32]) -> Self {
        if weights.is_empty() {
            refuse(&"CrossEntropy: class weights", &"[]", "one weight for each class");
        }
        for weight in weights {
            checked("CrossEntropy: class weight", *weight, Range::NonNegative);
        }
        self.weights = weights.to_vec();
        self
    }

    /// Ignores predictions with this target, which need not be a class index, such as the padding of a sequence.
    /// They count neither for the loss nor for the accuracy.
    #[must_use]
    pub const fn ignore_index(mut self, target: u32) -> Self {
        self.ignored = Some(target);
        self
    }

    /// The weight of a prediction with this target.
    fn weight_of(&self, target: u32) -> f32 {
        if self.ignored == Some(target) { 0.0 } else { self.class_weight(target as usize) }
    }

    fn class_weight(&self, class: usize) -> f32 {
        if self.weights.is_empty() { 1.0 } else { self.weights[class] }
    }

    /// The loss of one prediction, times its weight, and its gradient times `scale`.
    fn prediction(&self, y: &[f32], target: u32, scale: f32, d_y: &mut [f32]) -> f64 {
        if self.ignored == Some(target) {
            d_y.fill(0.0);
            return 0.0;
        }
        let target = target as usize;
        let mut totals = [0.0; 2];
        exponentials(y, d_y, &mut totals);
        let [largest, sum] = totals;
        let log_sum = f64::from(largest) + f64::from(sum).ln();
        let right = (1.0 - self.label_smoothing) * self.class_weight(target);
        // The softmax term of the gradient is multiplied by the sum of all target weights: of the target class and of
        // the smoothed ones.
        let factor = (right + self.smoothed(y.len()).sum::<f32>()) * scale / sum;
        for d in d_y.iter_mut() {
            *d *= factor;
        }
        d_y[target] -= right * scale;
        let mut loss = f64::from(right) * (log_sum - f64::from(y[target]));
        for ((y, d), share) in y.iter().zip(d_y).zip(self.smoothed(y.len())) {
            *d -= share * scale;
            loss += f64::from(share) * (log_sum - f64::from(*y));
        }
        loss
    }

    /// The target weight of each class from label smoothing; an empty iterator without it.
    fn smoothed(&self, classes: usize) -> impl Iterator<Item = f32> {
        let even = self.label_smoothing / classes as f32;
        let smoothed = if even == 0.0 { 0 } else { classes };
        (0..smoothed).map(move |class| even * self.class_weight(class))
    }
}

dispatch! {
    /// Writes `exp(y - largest)` to `e`, and the largest `y` and the sum of `e` to `totals`. Subtracting the
    /// largest keeps the exponentials from overflowing.
    fn exponentials<L>(y: &[f32], e: &mut [f32], totals: &mut [f32; 2]) {
        let largest = rows::max(y);
        for (e, y) in e.iter_mut().zip(y) {
            *e = exp::<L>(y - largest);
        }
        *totals = [largest, rows::sum(e)];
    }
}

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

#[diagnostic::do_not_recommend]
impl<S: Scores> Loss<S> for CrossEntropy {
    type Target = S::Classes;

    fn applies(&self) -> Option<&'static str> {
        Some("Softmax")
    }

    fn check(&self, target: &S::Classes) -> Result<(), TargetError> {
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

    fn sample(&self, y: &[f32], target: &S::Classes, scale: f32, d_y: &mut [f32]) -> f64 {
        let predictions = predictions::<S>();
        let scale = scale / predictions as f32;
        let rows = y.chunks_exact(S::CLASSES).zip(d_y.chunks_exact_mut(S::CLASSES));
        let targets = classes_of(target);
        let sum: f64 = rows.zip(targets).map(|((y, d), t)| self.prediction(y, t, scale, d)).sum();
        sum / predictions as f64
    }

    fn weight(&self, target: &S::Classes, steps: usize) -> f64 {
        let predictions = predictions::<S>();
        let valid = steps * S::LEN / all_steps::<S>() / S::CLASSES;
        if self.weights.is_empty() && self.ignored.is_none() {
            return valid as f64 / predictions as f64;
        }
        let weights = classes_of(target).take(valid).map(|t| f64::from(self.weight_of(t)));
        weights.sum::<f64>() / predictions as f64
    }

    fn correct(&self, y: &[f32], target: &S::Classes) -> (usize, usize) {
        let rows = y.chunks_exact(S::CLASSES).zip(classes_of(target));
        let counted = rows.filter(|(_, target)| self.ignored != Some(*target));
        counted.fold((0, 0), |(right, all), (y, target)| {
            (right + usize::from(is_largest(y, target as usize)), all + 1)
        })
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
    use super::super::LossSum;
    use super::super::tests::{add_whole, check, check_batch};
    use super::*;

    // Expected values: scripts/losses.py, PyTorch in float64.
    const Y: [f32; 4] = [0.5, -1.25, 2.0, 0.75];

    #[test]
    fn the_first_of_equal_values_is_the_largest() {
        for y in [[3.0, 1.0, 3.0], [1.0, 2.0, 2.0], [0.0; 3], [-1.0, -2.0, -0.5]] {
            let found: Vec<_> = (0..4).filter(|at| is_largest(&y, *at)).collect();
            assert_eq!(found, [largest(&y)], "{y:?}");
        }
        assert!((0..3).all(|at| !is_largest(&[0.0, f32::NAN, 1.0], at)));
    }

    #[test]
    fn agrees_with_pytorch() {
        check(&CrossEntropy::new(), &Y, &2, 0.437_228_058_613_902_6);
        check(&CrossEntropy::new(), &Y, &1, 3.687_228_058_613_902_3);
        check(&CrossEntropy::new().label_smoothing(0.1), &Y, &1, 3.512_228_058_613_902_5);
        let sequence = [Y, [1.0, 0.0, -0.5, 0.25]];
        check(
            &CrossEntropy::new().label_smoothing(0.25),
            &sequence,
            &[3, 0],
            1.338_598_304_803_352_5,
        );
    }

    /// Scores of three samples of two steps, and their classes; class 9 is ignored.
    const SEQUENCES: [[[f32; 4]; 2]; 3] = [
        [Y, [1.0, 0.0, -0.5, 0.25]],
        [[-0.75, 0.5, 1.5, 0.0], [0.25, 2.0, -1.0, 1.0]],
        [[3.0, -2.0, 0.5, 0.0], [0.5, 0.5, -0.5, 1.25]],
    ];
    const CLASSES: [[u32; 2]; 3] = [[3, 0], [9, 2], [9, 9]];
    const WEIGHTS: [f32; 4] = [0.5, 2.0, 3.0, 1.5];

    #[test]
    fn weighted_means_agree_with_pytorch() {
        let loss = CrossEntropy::new().ignore_index(9);
        check_batch(&loss, &SEQUENCES, &CLASSES, 1.958_737_053_664_891_6);
        let loss = loss.class_weights(&WEIGHTS);
        check_batch(&loss, &SEQUENCES, &CLASSES, 2.657_386_503_516_233_4);
        check_batch(&loss.label_smoothing(0.2), &SEQUENCES, &CLASSES, 2.520_993_984_082_614_3);
    }

    #[test]
    fn a_batch_without_any_weight_has_no_loss_and_no_gradient() {
        let loss = CrossEntropy::new().ignore_index(9);
        let mut sum = LossSum::default();
        let mut d_y = [f32::NAN; 8];
        let y = SEQUENCES[2].as_floats();
        add_whole::<[[f32; 4]; 2], _>(&loss, y, &[9, 9], &mut d_y, &mut sum);
        assert_eq!((sum.mean_loss(), sum.accuracy(), d_y), (0.0, None, [0.0; 8]));
    }

    #[test]
    fn large_scores_do_not_overflow() {
        let mut d_y = [0.0; 2];
        let y = [1000.0_f32, -1000.0];
        let loss = Loss::<[f32; 2]>::sample(&CrossEntropy::new(), &y, &1, 1.0, &mut d_y);
        assert_eq!((loss, d_y), (2000.0, [1.0, -1.0]));
    }

    #[test]
    fn counts_correct_predictions() {
        let loss = CrossEntropy::new();
        assert_eq!(Loss::<[f32; 4]>::correct(&loss, &Y, &2), (1, 1));
        assert_eq!(Loss::<[f32; 4]>::correct(&loss, &Y, &3), (0, 1));
        let both = [Y, Y];
        assert_eq!(Loss::<[[f32; 4]; 2]>::correct(&loss, both.as_floats(), &[2, 0]), (1, 2));
        let loss = loss.ignore_index(0);
        assert_eq!(Loss::<[[f32; 4]; 2]>::correct(&loss, both.as_floats(), &[2, 0]), (1, 1));
    }

    #[test]
    fn a_class_index_out_of_range_is_named() {
        let error = Loss::<[f32; 10]>::check(&CrossEntropy::new(), &10).unwrap_err();
        assert_eq!(error, TargetError::Class { classes: 10, found: 10 });
        assert_eq!(Loss::<[[f32; 10]; 2]>::check(&CrossEntropy::new(), &[9, 0]), Ok(()));
        let ignoring = CrossEntropy::new().ignore_index(u32::MAX);
        assert_eq!(Loss::<[[f32; 10]; 2]>::check(&ignoring, &[9, u32::MAX]), Ok(()));
    }

    #[test]
    fn class_weights_of_another_number_of_classes_are_refused() {
        let loss = CrossEntropy::new().class_weights(&WEIGHTS);
        let error = Loss::<[f32; 10]>::check(&loss, &0).unwrap_err();
        assert_eq!(error.to_string(), "expected 10 class weights, found 4");
    }
}
