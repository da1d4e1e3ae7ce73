//! [`Huber`]: PyTorch's `nn.HuberLoss`.

use super::loss_trait::{Loss, mean_of_values};
use super::target_error::{TargetError, check_finite};
use crate::hyper::{Range, checked};
use crate::types::Values;

/// Huber loss: the mean over all values of the output of `d^2 / 2` for differences `d` up to `delta`, and of
/// `delta (|d| - delta / 2)` above, so that outliers have bounded gradients. Targets have the output's type.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Huber {
    delta: f32,
}

impl Huber {
    /// Quadratic up to a difference of 1.
    #[must_use]
    pub const fn new() -> Self {
        Self { delta: 1.0 }
    }

    /// Sets the difference above which the loss is linear.
    ///
    /// # Panics
    /// If `delta` is not a finite number above 0.
    #[must_use]
    #[track_caller]
    pub fn delta(self, delta: f32) -> Self {
        Self { delta: checked("Huber: delta", delta, Range::Positive) }
    }
}

impl Default for Huber {
    fn default() -> Self {
        Self::new()
    }
}

#[diagnostic::do_not_recommend]
impl<Output: Values> Loss<Output> for Huber {
    type Target = Output;

    fn check(&self, target: &Output) -> Result<(), TargetError> {
        check_finite(target.as_floats())
    }

    fn sample(&self, y: &[f32], target: &Output, scale: f32, d_y: &mut [f32]) -> f64 {
        mean_of_values(y, target, scale, d_y, |_, y, t| {
            let difference = y - t;
            let bounded = difference.clamp(-self.delta, self.delta);
            (f64::from(bounded) * (f64::from(difference) - 0.5 * f64::from(bounded)), bounded)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::check;
    use super::*;

    // Expected values: scripts/losses.py, PyTorch in float64.
    #[test]
    fn agrees_with_pytorch() {
        let (y, t) = ([0.5, -1.25, 2.0, -30.0], [1.0, 0.5, 0.25, 0.0]);
        check(&Huber::new(), &y, &t, 8.031_25);
        check(&Huber::new().delta(1.8), &y, &t, 13.891_875);
    }

    #[test]
    fn a_target_that_is_not_finite_is_named() {
        let error = Loss::<[f32; 2]>::check(&Huber::new(), &[0.0, f32::NAN]).unwrap_err();
        assert!(error.to_string().contains("NaN at index 1"), "{error}");
    }
}
