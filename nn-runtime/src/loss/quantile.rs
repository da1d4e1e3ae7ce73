//! [`Quantile`]: the loss of quantile regression.

use super::loss_trait::{Loss, mean_of_values};
use super::target_error::{TargetError, check_finite};
use crate::hyper::{Range, checked};
use crate::types::Values;

/// Quantile loss (pinball loss; Koenker and Bassett, 1978), averaged over all values of the output:
/// `max(q (t - y), (q - 1) (t - y))`. The output that minimises it is the quantile `q` of the target. Targets have the
/// output's type.
///
/// A network with an output for each quantile takes a tuple of losses:
/// `(Quantile::new(0.1), Quantile::new(0.5), Quantile::new(0.9))`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quantile {
    q: f32,
}

impl Quantile {
    /// The quantile `q`: 0.5 is the median.
    ///
    /// # Panics
    /// If `q` is not a number from 0 to 1.
    #[must_use]
    #[track_caller]
    pub fn new(q: f32) -> Self {
        Self { q: checked("Quantile: q", q, Range::Fraction) }
    }
}

#[diagnostic::do_not_recommend]
impl<Output: Values> Loss<Output> for Quantile {
    type Target = Output;

    fn check(&self, target: &Output) -> Result<(), TargetError> {
        check_finite(target.as_floats())
    }

    fn sample(&self, y: &[f32], target: &Output, scale: f32, d_y: &mut [f32]) -> f64 {
        mean_of_values(y, target, scale, d_y, |_, y, t| {
            let missing = t - y;
            // The subgradient at 0 is 0, as that of the absolute value.
            let slope = if missing == 0.0 {
                0.0
            } else if missing < 0.0 {
                1.0 - self.q
            } else {
                -self.q
            };
            (-f64::from(slope) * f64::from(missing), slope)
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
        check(&Quantile::new(0.9), &y, &t, 7.3);
        check(&Quantile::new(0.5), &y, &t, 4.25);
    }

    #[test]
    fn equal_values_have_no_loss_and_no_gradient_and_nan_stays_nan() {
        let mut d_y = [f32::NAN; 2];
        let loss = Quantile::new(0.1).sample(&[2.0, -1.0], &[2.0_f32, -1.0], 1.0, &mut d_y);
        assert_eq!((loss, d_y), (0.0, [0.0; 2]));
        assert!(Quantile::new(0.1).sample(&[f32::NAN], &[2.0_f32], 1.0, &mut d_y).is_nan());
    }

    #[test]
    fn a_target_that_is_not_finite_is_named() {
        let error = Quantile::new(0.1).check(&[0.0_f32, f32::NAN]).unwrap_err();
        assert!(error.to_string().contains("NaN at index 1"), "{error}");
    }
}
