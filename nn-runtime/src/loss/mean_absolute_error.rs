//! [`MeanAbsoluteError`]: PyTorch's `nn.L1Loss`.

use super::loss_trait::{Loss, mean_of_values};
use super::target_error::{TargetError, check_finite};
use crate::types::Values;

/// The mean of the absolute differences, over all values of the output. Targets have the output's type.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MeanAbsoluteError;

#[diagnostic::do_not_recommend]
impl<Output: Values> Loss<Output> for MeanAbsoluteError {
    type Target = Output;

    fn check(&self, target: &Output) -> Result<(), TargetError> {
        check_finite(target.as_floats())
    }

    fn sample(&self, y: &[f32], target: &Output, scale: f32, d_y: &mut [f32]) -> f64 {
        mean_of_values(y, target, scale, d_y, |_, y, t| {
            let difference = y - t;
            // The subgradient at 0 is 0, as in PyTorch; `signum` alone would return 1. NaN stays NaN.
            let slope = if difference == 0.0 { 0.0 } else { difference.signum() };
            (f64::from(difference.abs()), slope)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::check;
    use super::*;

    // Expected value: scripts/losses.py, PyTorch in float64.
    #[test]
    fn agrees_with_pytorch() {
        let (y, t) = ([0.5, -1.25, 2.0, -30.0], [1.0, 0.5, 0.25, 0.0]);
        check(&MeanAbsoluteError, &y, &t, 8.5);
    }

    #[test]
    fn equal_values_have_no_gradient() {
        let mut d_y = [f32::NAN; 2];
        let loss = MeanAbsoluteError.sample(&[2.0, -1.0], &[2.0_f32, 3.0], 1.0, &mut d_y);
        assert_eq!((loss, d_y), (2.0, [0.0, -0.5]));
    }

    #[test]
    fn a_target_that_is_not_finite_is_named() {
        let error = Loss::<[f32; 2]>::check(&MeanAbsoluteError, &[0.0, f32::NAN]).unwrap_err();
        assert!(error.to_string().contains("NaN at index 1"), "{error}");
    }
}
