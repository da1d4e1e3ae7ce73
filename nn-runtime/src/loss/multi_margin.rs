//! [`MultiMargin`]: PyTorch's `nn.MultiMarginLoss`.

use super::classes::{ClassTargets, Scores};
use super::hinge::hinge;
use super::loss_trait::Loss;
use super::target_error::TargetError;
use crate::hyper::{Range, checked};

/// Hinge loss of classes: `sum(max(0, margin - y[target] + y[c]))` over all other classes `c`, divided by the number of
/// classes. Outputs and targets are those of [`CrossEntropy`](super::CrossEntropy).
///
/// As in PyTorch, and unlike `CrossEntropy`, class weights are factors of the loss only: the mean over a batch divides
/// by the number of predictions.
#[derive(Clone, Debug, PartialEq)]
pub struct MultiMargin {
    margin: f32,
    squared: bool,
    targets: ClassTargets,
}

impl MultiMargin {
    /// With a margin of 1.
    #[must_use]
    pub const fn new() -> Self {
        Self { margin: 1.0, squared: false, targets: ClassTargets::new() }
    }

    /// Sets how far the target's score must be above another one to have no loss.
    ///
    /// # Panics
    /// If `margin` is not a finite number of at least 0.
    #[must_use]
    #[track_caller]
    pub fn margin(self, margin: f32) -> Self {
        Self { margin: checked("MultiMargin: margin", margin, Range::NonNegative), ..self }
    }

    /// Squares the terms of the sum: PyTorch's `p=2`.
    #[must_use]
    pub fn squared(self) -> Self {
        Self { squared: true, ..self }
    }

    /// Sets a factor of the loss for each class.
    ///
    /// # Panics
    /// If there are none, or one is not a finite number of at least 0.
    #[must_use]
    #[track_caller]
    pub fn class_weights(mut self, weights: &[f32]) -> Self {
        self.targets.set_weights("MultiMargin", weights);
        self
    }

    /// The loss of one prediction, and its gradient times `scale`.
    fn prediction(&self, y: &[f32], target: u32, scale: f32, d_y: &mut [f32]) -> f64 {
        let target = target as usize;
        let weight = self.targets.class_weight(target) / y.len() as f32;
        let (mut sum, mut slopes) = (0.0, 0.0);
        for (class, (score, d)) in y.iter().zip(&mut *d_y).enumerate() {
            if class == target {
                continue;
            }
            let (loss, slope) = hinge(self.margin - y[target] + score, self.squared);
            *d = slope * weight * scale;
            slopes += *d;
            sum += loss;
        }
        d_y[target] = -slopes;
        sum * f64::from(weight)
    }
}

impl Default for MultiMargin {
    fn default() -> Self {
        Self::new()
    }
}

#[diagnostic::do_not_recommend]
impl<S: Scores> Loss<S> for MultiMargin {
    type Target = S::Classes;

    fn check(&self, target: &S::Classes) -> Result<(), TargetError> {
        self.targets.check::<S>(target)
    }

    fn sample(&self, y: &[f32], target: &S::Classes, scale: f32, d_y: &mut [f32]) -> f64 {
        let prediction = |y: &[f32], t, scale, d_y: &mut [f32]| self.prediction(y, t, scale, d_y);
        self.targets.mean::<S>(y, target, scale, d_y, prediction)
    }

    fn correct(&self, y: &[f32], target: &S::Classes) -> (usize, usize) {
        self.targets.correct::<S>(y, target)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::check_batch;
    use super::*;

    const Y: [[f32; 4]; 2] = [[0.5, -1.25, 2.0, 0.75], [1.0, 0.125, -0.5, 0.25]];

    // Expected values: scripts/losses.py, PyTorch in float64.
    #[test]
    fn agrees_with_pytorch() {
        check_batch(&MultiMargin::new(), &Y, &[3, 0], 0.421_875);
        let loss = MultiMargin::new().margin(0.5).squared().class_weights(&[0.5, 2.0, 3.0, 1.5]);
        check_batch(&loss, &Y, &[3, 1], 1.15625);
    }

    #[test]
    fn nan_is_a_loss_of_nan() {
        let y = [0.0, f32::NAN];
        assert!(Loss::<[f32; 2]>::sample(&MultiMargin::new(), &y, &0, 1.0, &mut [0.0; 2]).is_nan());
    }
}
