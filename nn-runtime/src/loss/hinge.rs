//! [`Hinge`]: the loss of support vector machines.

use super::loss_trait::{Loss, correct_by_sign, mean_of_values};
use super::target_error::{TargetError, check_binary};
use crate::hyper::{Range, checked};
use crate::types::Values;

/// Hinge loss, `max(0, margin - t y)`, averaged over all values of the output. Targets have the output's type; their
/// values are 1 for yes and -1 for no. A positive score is a prediction of yes. For classes see
/// [`MultiMargin`](super::MultiMargin).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hinge {
    margin: f32,
    squared: bool,
}

impl Hinge {
    /// With a margin of 1.
    #[must_use]
    pub const fn new() -> Self {
        Self { margin: 1.0, squared: false }
    }

    /// Sets the score on the right side from which on there is no loss.
    ///
    /// # Panics
    /// If `margin` is not a finite number of at least 0.
    #[must_use]
    #[track_caller]
    pub fn margin(self, margin: f32) -> Self {
        Self { margin: checked("Hinge: margin", margin, Range::NonNegative), ..self }
    }

    /// Squares the loss of each value.
    #[must_use]
    pub const fn squared(self) -> Self {
        Self { squared: true, ..self }
    }
}

impl Default for Hinge {
    fn default() -> Self {
        Self::new()
    }
}

/// What is missing to the margin, or its square, and the derivative by it. NaN stays NaN.
pub(super) fn hinge(missing: f32, squared: bool) -> (f64, f32) {
    if missing <= 0.0 {
        (0.0, 0.0)
    } else if squared {
        (f64::from(missing) * f64::from(missing), 2.0 * missing)
    } else {
        (f64::from(missing), 1.0)
    }
}

#[diagnostic::do_not_recommend]
impl<Output: Values> Loss<Output> for Hinge {
    type Target = Output;

    fn check(&self, target: &Output) -> Result<(), TargetError> {
        check_binary(target.as_floats(), [-1.0, 1.0])
    }

    fn sample(&self, y: &[f32], target: &Output, scale: f32, d_y: &mut [f32]) -> f64 {
        mean_of_values(y, target, scale, d_y, |_, y, t| {
            let (loss, slope) = hinge(self.margin - t * y, self.squared);
            (loss, -t * slope)
        })
    }

    fn correct(&self, y: &[f32], target: &Output) -> (usize, usize) {
        correct_by_sign(y, target, 0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::check;
    use super::*;

    const Y: [f32; 4] = [0.5, -1.25, 2.0, 0.75];
    const T: [f32; 4] = [1.0, 1.0, 1.0, -1.0];

    // Expected values: scripts/losses.py, PyTorch in float64.
    #[test]
    fn agrees_with_pytorch() {
        check(&Hinge::new(), &Y, &T, 1.125);
        check(&Hinge::new().margin(0.25).squared(), &Y, &T, 0.8125);
    }

    #[test]
    fn nan_is_a_loss_of_nan() {
        assert!(Hinge::new().sample(&[f32::NAN], &[1.0_f32], 1.0, &mut [0.0]).is_nan());
    }

    #[test]
    fn counts_by_sign() {
        assert_eq!(Hinge::new().correct(&Y, &T), (2, 4));
    }

    #[test]
    fn a_target_other_than_1_and_minus_1_is_named() {
        let error = Hinge::new().check(&[1.0_f32, 0.0]).unwrap_err();
        assert_eq!(error.to_string(), "expected values of -1 or 1, found 0 at index 1");
    }
}
