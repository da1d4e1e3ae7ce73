//! [`MeanSquaredError`]: PyTorch's `nn.MSELoss`.

use super::loss_trait::{Loss, mean_of_values};
use super::target_error::{TargetError, check_finite};
use crate::types::Values;

/// The mean of the squared differences, over all values of the output. Targets have the output's type.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MeanSquaredError;

#[diagnostic::do_not_recommend]
impl<Output: Values> Loss<Output> for MeanSquaredError {
    type Target = Output;

    fn check(&self, target: &Output) -> Result<(), TargetError> {
        check_finite(target.as_floats())
    }

    fn sample(&self, y: &[f32], target: &Output, scale: f32, d_y: &mut [f32]) -> f64 {
        mean_of_values(y, target, scale, d_y, |_, y, t| {
            let difference = y - t;
            (f64::from(difference) * f64::from(difference), 2.0 * difference)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::check;
    use super::*;

    #[test]
    fn agrees_with_the_definition() {
        // ((1.5)^2 + 0 + 1 + 2^2) / 4
        check(&MeanSquaredError, &[[1.0, 2.0], [3.0, 4.0]], &[[-0.5, 2.0], [2.0, 6.0]], 7.25 / 4.0);
    }

    #[test]
    fn a_target_that_is_not_finite_is_named() {
        let error = Loss::<[f32; 3]>::check(&MeanSquaredError, &[0.0, f32::NAN, 1.0]).unwrap_err();
        assert!(error.to_string().contains("NaN at index 1"), "{error}");
    }
}
