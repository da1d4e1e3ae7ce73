//! [`Focal`] and [`BinaryFocalWithLogits`]: cross-entropy that good predictions hardly add to.

use super::classes::{ClassTargets, class_loss, class_settings, exponentials};
use super::loss_trait::{Loss, correct_by_sign, mean_of_values};
use super::target_error::{TargetError, check_binary};
use crate::hyper::{Range, checked};
use crate::kernels::Baseline;
use crate::kernels::elementwise::{sigmoid, softplus};
use crate::types::Values;

/// Focal loss of scores and a class index (Lin et al., 2017): `-(1 - p)^gamma log(p)`, where `p` is the probability of
/// the target, `softmax(y)[target]`. For classes of very different frequencies.
///
/// With `gamma` 0 it is [`CrossEntropy`](super::CrossEntropy), whose outputs, targets and weighted mean it has. Class weights
/// are the paper's `alpha`.
#[derive(Clone, Debug, PartialEq)]
pub struct Focal {
    gamma: f32,
    targets: ClassTargets,
}

impl Focal {
    /// With a `gamma` of 2; all classes have the weight 1.
    #[must_use]
    pub const fn new() -> Self {
        Self { gamma: 2.0, targets: ClassTargets::new() }
    }

    /// Sets the exponent: the larger, the less good predictions add.
    ///
    /// # Panics
    /// If `gamma` is not a finite number of at least 0.
    #[must_use]
    #[track_caller]
    pub fn gamma(self, gamma: f32) -> Self {
        Self { gamma: checked("Focal: gamma", gamma, Range::NonNegative), ..self }
    }

    class_settings!("Focal");

    /// The loss of one prediction, times its weight, and its gradient times `scale`.
    fn prediction(&self, y: &[f32], target: usize, scale: f32, d_y: &mut [f32]) -> f64 {
        let mut totals = [0.0; 2];
        d_y.copy_from_slice(y);
        exponentials(d_y, &mut totals);
        let [largest, sum] = totals.map(f64::from);
        let log_p = f64::from(y[target]) - largest - sum.ln();
        // `1 - p` as a sum, since `p` may round to 1.
        let others = d_y[..target].iter().chain(&d_y[target + 1..]);
        let rest = others.map(|e| f64::from(*e)).sum::<f64>() / sum;
        let (gamma, p) = (f64::from(self.gamma), log_p.exp());
        let weight = f64::from(self.targets.class_weight(target));
        let focus = rest.powf(gamma);
        // The derivative by the target's score. That by another one is `-p_c / (1 - p)` times it. So nothing is divided by
        // a power of `1 - p`, which may be 0.
        let slope = weight * focus * (gamma * p * log_p - rest) * f64::from(scale);
        for (class, d) in d_y.iter_mut().enumerate() {
            *d = if class == target {
                slope as f32
            } else if rest == 0.0 {
                0.0
            } else {
                (-slope * f64::from(*d) / sum / rest) as f32
            };
        }
        -weight * focus * log_p
    }
}

impl Default for Focal {
    fn default() -> Self {
        Self::new()
    }
}

class_loss!(Focal, Some("Softmax"));

/// Focal loss of logits of yes or no (Lin et al., 2017), averaged over all values of the output; torchvision's
/// `sigmoid_focal_loss`: `-alpha (1 - p)^gamma log(p)`, where `p` is `sigmoid(y)` for the target 1 and
/// `1 - sigmoid(y)` for the target 0, for which the factor is `1 - alpha`.
///
/// Takes scores (logits), not probabilities: put no `Sigmoid` before it. Targets have the output's type; their
/// values are 1 and 0.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BinaryFocalWithLogits {
    gamma: f32,
    alpha: Option<f32>,
}

impl BinaryFocalWithLogits {
    /// With the paper's `gamma` of 2 and `alpha` of 0.25.
    #[must_use]
    pub const fn new() -> Self {
        Self { gamma: 2.0, alpha: Some(0.25) }
    }

    /// Sets the exponent: the larger, the less good predictions add.
    ///
    /// # Panics
    /// If `gamma` is not a finite number of at least 0.
    #[must_use]
    #[track_caller]
    pub fn gamma(self, gamma: f32) -> Self {
        let name = "BinaryFocalWithLogits: gamma";
        Self { gamma: checked(name, gamma, Range::NonNegative), ..self }
    }

    /// Sets the weight of the answer yes; no has the rest to 1.
    ///
    /// # Panics
    /// If `alpha` is not a number from 0 to 1.
    #[must_use]
    #[track_caller]
    pub fn alpha(self, alpha: f32) -> Self {
        let name = "BinaryFocalWithLogits: alpha";
        Self { alpha: Some(checked(name, alpha, Range::Fraction)), ..self }
    }

    /// Both answers have the weight 1.
    #[must_use]
    pub const fn without_alpha(self) -> Self {
        Self { alpha: None, ..self }
    }
}

impl Default for BinaryFocalWithLogits {
    fn default() -> Self {
        Self::new()
    }
}

#[diagnostic::do_not_recommend]
impl<Output: Values> Loss<Output> for BinaryFocalWithLogits {
    type Target = Output;

    fn applies(&self) -> Option<&'static str> {
        Some("Sigmoid")
    }

    fn check(&self, target: &Output) -> Result<(), TargetError> {
        check_binary(target.as_floats(), [0.0, 1.0])
    }

    fn sample(&self, y: &[f32], target: &Output, scale: f32, d_y: &mut [f32]) -> f64 {
        mean_of_values(y, target, scale, d_y, |_, y, t| {
            let yes = t > 0.5;
            let sign = if yes { 1.0 } else { -1.0 };
            let alpha = self.alpha.map_or(1.0, |alpha| if yes { alpha } else { 1.0 - alpha });
            let z = sign * y;
            let (p, rest, loss) =
                (sigmoid::<Baseline>(z), sigmoid::<Baseline>(-z), softplus::<Baseline>(-z));
            let focus = alpha * rest.powf(self.gamma);
            // `p loss` is 0 where `p` is.
            let slope = -focus * (self.gamma * p * loss + rest);
            (f64::from(focus) * f64::from(loss), sign * slope)
        })
    }

    fn correct(&self, y: &[f32], target: &Output) -> (usize, usize) {
        correct_by_sign(y, target, 0.5)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{check, check_batch};
    use super::super::{BinaryCrossEntropyWithLogits, CrossEntropy};
    use super::*;

    const Y: [[f32; 4]; 2] = [[0.5, -1.25, 2.0, 0.75], [1.0, 0.0, -0.5, 0.25]];

    // Expected values: scripts/losses.py, PyTorch in float64 and torchvision's `sigmoid_focal_loss`.
    #[test]
    fn agrees_with_pytorch() {
        check_batch(&Focal::new(), &Y, &[3, 0], 0.6564963001063508);
        let loss = Focal::new().gamma(0.5).class_weights(&[0.5, 2.0, 3.0, 1.5]);
        check_batch(&loss, &Y, &[3, 1], 1.5459731839699107);
        let t = [1.0, 0.0, 0.0, 1.0];
        check(&BinaryFocalWithLogits::new(), &Y[0], &t, 0.3184444229393454);
        check(&BinaryFocalWithLogits::new().gamma(0.5).alpha(0.75), &Y[0], &t, 0.22789319608179104);
        check(&BinaryFocalWithLogits::new().without_alpha(), &Y[0], &t, 0.44249134633355675);
    }

    #[test]
    fn with_gamma_0_it_is_cross_entropy() {
        let mut d = [[f32::NAN; 4]; 2];
        let [a, b] = &mut d;
        let found = Loss::<[f32; 4]>::sample(&Focal::new().gamma(0.0), &Y[0], &1, 1.0, a);
        let expected = Loss::<[f32; 4]>::sample(&CrossEntropy::new(), &Y[0], &1, 1.0, b);
        assert!((found - expected).abs() < 1e-6, "{found} {expected}");
        assert!(a.iter().zip(b).all(|(a, b)| (*a - *b).abs() < 1e-6), "{d:?}");
        let [a, b] = &mut d;
        let t = [1.0, 0.0, 0.0, 1.0];
        let loss = BinaryFocalWithLogits::new().gamma(0.0).without_alpha();
        let found = loss.sample(&Y[0], &t, 1.0, a);
        let expected = BinaryCrossEntropyWithLogits::new().sample(&Y[0], &t, 1.0, b);
        assert!((found - expected).abs() < 1e-6, "{found} {expected}");
        assert!(a.iter().zip(b).all(|(a, b)| (*a - *b).abs() < 1e-6), "{d:?}");
    }

    #[test]
    fn large_scores_neither_overflow_nor_divide_by_zero() {
        let mut d_y = [f32::NAN; 2];
        for gamma in [0.0, 0.5, 2.0] {
            let loss = Focal::new().gamma(gamma);
            let wrong = Loss::<[f32; 2]>::sample(&loss, &[1000.0, -1000.0], &1, 1.0, &mut d_y);
            assert_eq!((wrong, d_y), (2000.0, [1.0, -1.0]));
            let right = Loss::<[f32; 2]>::sample(&loss, &[1000.0, -1000.0], &0, 1.0, &mut d_y);
            assert_eq!((right, d_y), (0.0, [0.0; 2]));
            let loss = BinaryFocalWithLogits::new().gamma(gamma).without_alpha();
            let wrong = loss.sample(&[1000.0, -1000.0], &[0.0, 1.0], 1.0, &mut d_y);
            assert_eq!((wrong, d_y), (1000.0, [0.5, -0.5]));
            let right = loss.sample(&[1000.0, -1000.0], &[1.0, 0.0], 1.0, &mut d_y);
            assert_eq!((right, d_y), (0.0, [0.0; 2]));
        }
    }

    #[test]
    fn a_target_other_than_0_and_1_is_named() {
        let error = BinaryFocalWithLogits::new().check(&[1.0_f32, 0.5]).unwrap_err();
        assert_eq!(error.to_string(), "expected values of 0 or 1, found 0.5 at index 1");
    }
}
