//! [`AdaptiveAvgPool1d`]: PyTorch's `nn.AdaptiveAvgPool1d`, channels last.

use super::pooling::average_node;
use crate::kernels::pool::Pool;
use unrolled_shape::rules::adaptive_avg_pool1d;
use unrolled_shape::rules::window::Over;

/// The average under windows that cover the input: `[T, C] -> [T', C]`.
#[derive(Clone, Debug, PartialEq)]
pub struct AdaptiveAvgPool1d;

average_node!(
    AdaptiveAvgPool1d,
    adaptive_avg_pool1d::AdaptiveAvgPool1d,
    S => Pool::adaptive(Over::Steps, S::INPUT, S::OUTPUT),
    // There is no padding.
    false
);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::testing::{Trial, spec};

    spec!(Even: adaptive_avg_pool1d::AdaptiveAvgPool1d { size: 3 }, [&[6, 2]] -> &[3, 2]);
    spec!(Uneven: adaptive_avg_pool1d::AdaptiveAvgPool1d { size: 4 }, [&[7, 3]] -> &[4, 3]);

    #[test]
    fn agrees_with_finite_differences() {
        Trial::<Even, AdaptiveAvgPool1d>::random().check_gradients();
        Trial::<Uneven, AdaptiveAvgPool1d>::random().check_gradients();
    }

    #[test]
    fn windows_overlap_where_sizes_do_not_divide() {
        let mut trial = Trial::<Uneven, AdaptiveAvgPool1d>::random();
        trial.check_inference();
        let y = trial.infer();
        for out in 0..12 {
            // Rounded down and up.
            let steps = [0..2, 1..4, 3..6, 5..7][out / 3].clone();
            let values: Vec<f32> = steps.map(|step| trial.x[0][step * 3 + out % 3]).collect();
            let expected = values.iter().sum::<f32>() / values.len() as f32;
            assert!((y[out] - expected).abs() < 1e-6, "{} {expected}", y[out]);
        }
    }
}
