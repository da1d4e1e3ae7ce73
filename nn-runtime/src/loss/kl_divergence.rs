//! [`KLDivergence`]: PyTorch's `nn.KLDivLoss(reduction="batchmean")`.

use super::loss_trait::{Loss, row_len};
use super::target_error::{TargetError, check_range};
use crate::types::Values;

/// Kullback-Leibler divergence of an output from its target, `sum(t (log t - y))` over the last axis: `y` are
/// log-probabilities, as of `LogSoftmax`, and `t` probabilities. Averaged over the steps of a sequence or the pixels
/// of an image. Targets have the output's type. For distillation, or where several people labelled a sample.
///
/// A class of probability 0 adds nothing, whatever its output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KLDivergence {
    log_target: bool,
}

impl KLDivergence {
    /// Targets are probabilities.
    #[must_use]
    pub const fn new() -> Self {
        Self { log_target: false }
    }

    /// Targets are log-probabilities, too, as the outputs of another network.
    #[must_use]
    pub const fn log_target(self) -> Self {
        Self { log_target: true }
    }
}

#[diagnostic::do_not_recommend]
impl<Output: Values> Loss<Output> for KLDivergence {
    type Target = Output;

    fn check(&self, target: &Output) -> Result<(), TargetError> {
        let [least, most] = if self.log_target { [f32::NEG_INFINITY, 0.0] } else { [0.0, 1.0] };
        check_range(target.as_floats(), least, most)
    }

    fn sample(&self, y: &[f32], target: &Output, scale: f32, d_y: &mut [f32]) -> f64 {
        let rows = Output::LEN / row_len::<Output>();
        let factor = scale / rows as f32;
        let mut sum = 0.0;
        for ((y, t), d_y) in y.iter().zip(target.as_floats()).zip(d_y) {
            let t = f64::from(*t);
            let (t, log_t) = if self.log_target { (t.exp(), t) } else { (t, t.ln()) };
            *d_y = -t as f32 * factor;
            // 0 log 0 is 0, the limit.
            sum += if t == 0.0 { 0.0 } else { t * (log_t - f64::from(*y)) };
        }
        sum / rows as f64
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::check;
    use super::*;

    const Y: [[f32; 3]; 2] = [[-0.5, -1.25, -2.0], [-3.0, -0.25, -1.5]];

    // Expected values: scripts/losses.py, PyTorch in float64.
    #[test]
    fn agrees_with_pytorch() {
        check(
            &KLDivergence::new(),
            &Y,
            &[[0.5, 0.25, 0.25], [0.0, 0.75, 0.25]],
            0.011472042270636876,
        );
        let target = [[-1.0, -0.75, -2.5], [-0.25, -2.0, -3.0]];
        check(&KLDivergence::new().log_target(), &Y, &target, 0.9206929308516661);
    }

    #[test]
    fn impossible_classes_add_nothing() {
        let (y, mut d_y) = ([0.0, f32::NEG_INFINITY], [f32::NAN; 2]);
        let loss = KLDivergence::new().sample(&y, &[1.0, 0.0], 1.0, &mut d_y);
        assert_eq!((loss, d_y), (0.0, [-1.0, 0.0]));
        let loss = KLDivergence::new().log_target();
        let loss = loss.sample(&y, &[0.0, f32::NEG_INFINITY], 1.0, &mut d_y);
        assert_eq!((loss, d_y), (0.0, [-1.0, 0.0]));
        let loss = KLDivergence::new().sample(&y, &[0.5, 0.5], 1.0, &mut d_y);
        assert_eq!(loss, f64::INFINITY);
    }

    #[test]
    fn a_target_out_of_range_is_named() {
        let error = KLDivergence::new().check(&[0.5_f32, -0.5]).unwrap_err();
        assert_eq!(error.to_string(), "expected values from 0 to 1, found -0.5 at index 1");
        let error = KLDivergence::new().log_target().check(&[-0.5_f32, 0.5]).unwrap_err();
        assert_eq!(error.to_string(), "expected values from -inf to 0, found 0.5 at index 1");
    }
}
