//! [`NLL`]: PyTorch's `nn.NLLLoss`.

use super::classes::{ClassTargets, class_loss, class_settings};

/// Negative log-likelihood of log-probabilities and a class index: `-y[target]`.
///
/// For networks that end with `LogSoftmax`; [`CrossEntropy`](super::CrossEntropy) takes scores instead and is the same
/// loss. Outputs and targets are those of `CrossEntropy`, as is the weighted mean over all predictions.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NLL {
    targets: ClassTargets,
}

impl NLL {
    /// All classes have the weight 1.
    #[must_use]
    pub const fn new() -> Self {
        Self { targets: ClassTargets::new() }
    }

    class_settings!("NLL");

    /// The loss of one prediction, times its weight, and its gradient times `scale`.
    fn prediction(&self, y: &[f32], target: usize, scale: f32, d_y: &mut [f32]) -> f64 {
        let weight = self.targets.class_weight(target);
        d_y.fill(0.0);
        d_y[target] = -weight * scale;
        -f64::from(weight) * f64::from(y[target])
    }
}

class_loss!(NLL, None);

#[cfg(test)]
mod tests {
    use super::super::tests::check_batch;
    use super::super::{Loss, TargetError};
    use super::*;

    const Y: [[[f32; 3]; 2]; 2] =
        [[[-0.5, -1.25, -2.0], [-3.0, -0.25, -1.5]], [[-0.75, -1.0, -1.75], [-2.0, -0.125, -4.0]]];
    const CLASSES: [[u32; 2]; 2] = [[2, 0], [1, 9]];

    // Expected values: scripts/losses.py, PyTorch in float64.
    #[test]
    fn agrees_with_pytorch() {
        let loss = NLL::new().ignore_index(9);
        check_batch(&loss, &Y, &CLASSES, 2.0);
        check_batch(&loss.class_weights(&[0.5, 2.0, 3.0]), &Y, &CLASSES, 1.7272727272727273);
    }

    #[test]
    fn an_impossible_class_has_an_infinite_loss_and_a_finite_gradient() {
        let mut d_y = [f32::NAN; 2];
        let loss =
            Loss::<[f32; 2]>::sample(&NLL::new(), &[0.0, f32::NEG_INFINITY], &1, 1.0, &mut d_y);
        assert_eq!((loss, d_y), (f64::INFINITY, [0.0, -1.0]));
    }

    #[test]
    fn a_class_index_out_of_range_is_named() {
        let error = Loss::<[f32; 3]>::check(&NLL::new(), &3).unwrap_err();
        assert_eq!(error, TargetError::Class { classes: 3, found: 3 });
    }
}
