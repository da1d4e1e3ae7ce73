//! [`CrossEntropy`]: PyTorch's `nn.CrossEntropyLoss`.

use super::classes::{ClassTargets, class_loss, class_settings, exponentials};
use crate::hyper::{Range, checked};

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
    targets: ClassTargets,
}

impl CrossEntropy {
    /// Without label smoothing; all classes have the weight 1.
    #[must_use]
    pub const fn new() -> Self {
        Self { label_smoothing: 0.0, targets: ClassTargets::new() }
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

    class_settings!("CrossEntropy");

    /// The loss of one prediction, times its weight, and its gradient times `scale`.
    fn prediction(&self, y: &[f32], target: usize, scale: f32, d_y: &mut [f32]) -> f64 {
        let mut totals = [0.0; 2];
        d_y.copy_from_slice(y);
        exponentials(d_y, &mut totals);
        let [largest, sum] = totals;
        let log_sum = f64::from(largest) + f64::from(sum).ln();
        let right = (1.0 - self.label_smoothing) * self.targets.class_weight(target);
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
        (0..smoothed).map(move |class| even * self.targets.class_weight(class))
    }
}

class_loss!(CrossEntropy, Some("Softmax"));

#[cfg(test)]
mod tests {
    use super::super::tests::{add_whole, check, check_batch};
    use super::super::{Loss, LossSum, TargetError};
    use super::*;
    use crate::types::Values;

    // Expected values: scripts/losses.py, PyTorch in float64.
    const Y: [f32; 4] = [0.5, -1.25, 2.0, 0.75];

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
