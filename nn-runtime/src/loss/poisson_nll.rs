//! [`PoissonNLL`]: PyTorch's `nn.PoissonNLLLoss`.

use super::loss_trait::{Loss, mean_of_values};
use super::target_error::{TargetError, check_finite, check_range};
use crate::hyper::{Range, checked};
use crate::types::Values;

/// Negative log-likelihood of counts with a Poisson distribution, averaged over all values of the output:
/// `exp(y) - t y`. The output is the logarithm of the expected count. Targets have the output's type.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PoissonNLL {
    log_input: bool,
    full: bool,
    eps: f32,
}

impl PoissonNLL {
    /// Outputs are logarithms of the expected counts; without the term `log(t!)`.
    #[must_use]
    pub const fn new() -> Self {
        Self { log_input: true, full: false, eps: 1e-8 }
    }

    /// Outputs are the expected counts themselves, at least 0: the loss is `y - t log(y + eps)`.
    #[must_use]
    pub const fn expected_counts(self) -> Self {
        Self { log_input: false, ..self }
    }

    /// Adds Stirling's approximation of `log(t!)` for targets above 1: `t log(t) - t + log(2 pi t) / 2`.
    #[must_use]
    pub const fn full(self) -> Self {
        Self { full: true, ..self }
    }

    /// Sets what is added to [`expected_counts`](Self::expected_counts), 1e-8 by default, so that 0 has a logarithm.
    ///
    /// # Panics
    /// If `eps` is not a finite number above 0.
    #[must_use]
    #[track_caller]
    pub fn eps(self, eps: f32) -> Self {
        Self { eps: checked("PoissonNLL: eps", eps, Range::Positive), ..self }
    }

    /// The loss of one value, and its derivative.
    fn of_value(&self, y: f64, t: f64) -> (f64, f64) {
        let (loss, slope) = if self.log_input {
            (y.exp() - t * y, y.exp() - t)
        } else {
            let y_eps = y + f64::from(self.eps);
            (y - t * y_eps.ln(), 1.0 - t / y_eps)
        };
        let stirling = || t * t.ln() - t + 0.5 * (std::f64::consts::TAU * t).ln();
        (loss + if self.full && t > 1.0 { stirling() } else { 0.0 }, slope)
    }
}

impl Default for PoissonNLL {
    fn default() -> Self {
        Self::new()
    }
}

#[diagnostic::do_not_recommend]
impl<Output: Values> Loss<Output> for PoissonNLL {
    type Target = Output;

    fn check(&self, target: &Output) -> Result<(), TargetError> {
        check_finite(target.as_floats())?;
        check_range(target.as_floats(), 0.0, f32::INFINITY)
    }

    fn sample(&self, y: &[f32], target: &Output, scale: f32, d_y: &mut [f32]) -> f64 {
        mean_of_values(y, target, scale, d_y, |_, y, t| {
            let (loss, slope) = self.of_value(f64::from(y), f64::from(t));
            (loss, slope as f32)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::check;
    use super::*;

    const T: [f32; 4] = [1.0, 0.0, 5.0, 2.0];

    // Expected values: scripts/losses.py, PyTorch in float64.
    #[test]
    fn agrees_with_pytorch() {
        let y = [0.5, -1.25, 2.0, -0.5];
        check(&PoissonNLL::new(), &y, &T, 0.10770320655090054);
        check(&PoissonNLL::new().full(), &y, &T, 1.4633665906000908);
        let y = [0.5, 1.25, 2.0, 3.0];
        check(&PoissonNLL::new().expected_counts(), &y, &T, 0.4450466621893333);
        check(&PoissonNLL::new().expected_counts().eps(0.5), &y, &T, -0.08424489909037791);
    }

    #[test]
    fn an_expected_count_of_0_is_finite() {
        let mut d_y = [f32::NAN; 2];
        let loss = PoissonNLL::new().expected_counts();
        let loss = loss.sample(&[0.0, 0.0], &[0.0_f32, 1.0], 1.0, &mut d_y);
        assert!(loss.is_finite() && d_y[0] == 0.5 && d_y[1].is_finite(), "{loss} {d_y:?}");
    }

    #[test]
    fn negative_and_infinite_counts_are_refused() {
        let error = PoissonNLL::new().check(&[1.0_f32, -1.0]).unwrap_err();
        assert_eq!(error.to_string(), "expected values from 0 to inf, found -1 at index 1");
        let error = PoissonNLL::new().check(&[f32::INFINITY]).unwrap_err();
        assert_eq!(error.to_string(), "expected finite values, found inf at index 0");
    }
}
