//! [`BinaryCrossEntropyWithLogits`]: PyTorch's `nn.BCEWithLogitsLoss`.

use super::loss_trait::{Loss, correct_by_sign, mean_of_values, row_len};
use super::target_error::{TargetError, check_range};
use crate::hyper::{Range, checked, refuse};
use crate::kernels::Baseline;
use crate::kernels::elementwise::{sigmoid, softplus};
use crate::types::Values;

/// Binary cross-entropy of logits, averaged over all values of the output:
/// `-t log sigmoid(y) - (1 - t) log(1 - sigmoid(y))`.
///
/// Takes scores (logits), not probabilities: put no `Sigmoid` before it. Targets have the output's type; their
/// values are 1 for yes, 0 for no, or a probability in between. A positive score is a prediction of yes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BinaryCrossEntropyWithLogits {
    /// One for each label, or one for all; empty if all are 1.
    pos_weights: Vec<f32>,
}

impl BinaryCrossEntropyWithLogits {
    /// Both answers have the same weight.
    #[must_use]
    pub const fn new() -> Self {
        Self { pos_weights: Vec::new() }
    }

    /// Multiplies the loss of the answer yes by `weight`: values above 1 raise the recall of a rare class.
    ///
    /// # Panics
    /// If `weight` is not a finite number of at least 0.
    #[must_use]
    #[track_caller]
    pub fn pos_weight(self, weight: f32) -> Self {
        self.pos_weights(&[weight])
    }

    /// As [`pos_weight`](Self::pos_weight), with a weight for each label: for each index along the last axis of the
    /// output.
    ///
    /// # Panics
    /// If there are none, or one is not a finite number of at least 0.
    #[must_use]
    #[track_caller]
    pub fn pos_weights(mut self, weights: &[f32]) -> Self {
        let name = "BinaryCrossEntropyWithLogits: positive weight";
        if weights.is_empty() {
            refuse(&format_args!("{name}s"), &"[]", "one weight for each label");
        }
        for weight in weights {
            checked(name, *weight, Range::NonNegative);
        }
        self.pos_weights = weights.to_vec();
        self
    }

    /// The weight of the value at `index` of an output.
    fn pos_weight_of(&self, index: usize) -> f32 {
        match &self.pos_weights[..] {
            [] => 1.0,
            [weight] => *weight,
            weights => weights[index % weights.len()],
        }
    }
}

#[diagnostic::do_not_recommend]
impl<Output: Values> Loss<Output> for BinaryCrossEntropyWithLogits {
    type Target = Output;

    fn applies(&self) -> Option<&'static str> {
        Some("Sigmoid")
    }

    fn check(&self, target: &Output) -> Result<(), TargetError> {
        let (labels, found) = (row_len::<Output>(), self.pos_weights.len());
        if found > 1 && found != labels {
            return Err(TargetError::PosWeights { labels, found });
        }
        check_range(target.as_floats(), 0.0, 1.0)
    }

    fn sample(&self, y: &[f32], target: &Output, scale: f32, d_y: &mut [f32]) -> f64 {
        mean_of_values(y, target, scale, d_y, |i, y, t| {
            let weight = 1.0 + (self.pos_weight_of(i) - 1.0) * t;
            let slope = (1.0 - t) - weight * sigmoid::<Baseline>(-y);
            (f64::from((1.0 - t) * y + weight * softplus::<Baseline>(-y)), slope)
        })
    }

    fn correct(&self, y: &[f32], target: &Output) -> (usize, usize) {
        correct_by_sign(y, target, 0.5)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::check;
    use super::*;

    // Expected values: scripts/losses.py, PyTorch in float64.
    #[test]
    fn agrees_with_pytorch() {
        let (y, t) = ([0.5, -1.25, 2.0, -30.0], [1.0, 0.0, 0.25, 0.0]);
        check(&BinaryCrossEntropyWithLogits::new(), &y, &t, 0.588_233_519_142_136_2);
        check(&BinaryCrossEntropyWithLogits::new().pos_weight(3.0), &y, &t, 0.841_138_012_612_561);
    }

    #[test]
    fn each_label_has_its_own_weight() {
        let (y, t) = ([[0.5, -1.25], [2.0, -30.0]], [[1.0, 1.0], [0.25, 0.0]]);
        let loss = BinaryCrossEntropyWithLogits::new().pos_weights(&[3.0, 0.5]);
        check(&loss, &y, &t, 0.9658968774443895);
        let error = loss.check(&[0.0_f32; 3]).unwrap_err();
        assert_eq!(error.to_string(), "expected 3 positive weights, one for each label, found 2");
    }

    #[test]
    fn large_scores_do_not_overflow() {
        let mut d_y = [0.0; 2];
        let (y, t) = ([1000.0, -1000.0], [0.0, 1.0]);
        let loss = BinaryCrossEntropyWithLogits::new().sample(&y, &t, 1.0, &mut d_y);
        assert_eq!((loss, d_y), (1000.0, [0.5, -0.5]));
    }

    #[test]
    fn counts_by_sign() {
        let y = [0.5, -1.0, 2.0];
        assert_eq!(BinaryCrossEntropyWithLogits::new().correct(&y, &[1.0, 1.0, 0.9]), (2, 3));
    }

    #[test]
    fn a_target_out_of_range_is_named() {
        let error = BinaryCrossEntropyWithLogits::new().check(&[0.0_f32, 1.5]).unwrap_err();
        assert_eq!(error.to_string(), "expected values from 0 to 1, found 1.5 at index 1");
    }
}
