//! [`AdaptiveAvgPool2d`]: PyTorch's `nn.AdaptiveAvgPool2d`, channels last.

use super::pooling::average_node;
use crate::kernels::pool::Pool;
use unrolled_shape::rules::adaptive_avg_pool2d;
use unrolled_shape::rules::window::Over;

/// The average under windows that cover the input: `[H, W, C] -> [H', W', C]`.
#[derive(Clone, Debug, PartialEq)]
pub struct AdaptiveAvgPool2d;

average_node!(
    AdaptiveAvgPool2d,
    adaptive_avg_pool2d::AdaptiveAvgPool2d,
    S => Pool::adaptive(Over::Images, S::INPUT, S::OUTPUT),
    // There is no padding.
    false
);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::testing::{Trial, spec};

    spec!(Even: adaptive_avg_pool2d::AdaptiveAvgPool2d { size: [2, 3] }, [&[4, 6, 2]] -> &[2, 3, 2]);
    spec!(Uneven: adaptive_avg_pool2d::AdaptiveAvgPool2d { size: [3, 4] }, [&[5, 7, 3]] -> &[3, 4, 3]);

    #[test]
    fn agrees_with_finite_differences() {
        Trial::<Even, AdaptiveAvgPool2d>::random().check_gradients();
        Trial::<Uneven, AdaptiveAvgPool2d>::random().check_gradients();
    }

    #[test]
    fn windows_overlap_where_sizes_do_not_divide() {
        let mut trial = Trial::<Uneven, AdaptiveAvgPool2d>::random();
        trial.check_inference();
        let y = trial.infer();
        for (out, found) in y.iter().take(36).enumerate() {
            let (row, column, c) = (out / 12, out / 3 % 4, out % 3);
            // Rounded down and up: 0..2, 1..4, 3..5 and 0..2, 1..4, 3..6, 5..7.
            let rows = [0..2, 1..4, 3..5][row].clone();
            let columns = [0..2, 1..4, 3..6, 5..7][column].clone();
            let values =
                rows.flat_map(|row| columns.clone().map(move |column| (row * 7 + column) * 3 + c));
            let values: Vec<f32> = values.map(|at| trial.x[0][at]).collect();
            let expected = values.iter().sum::<f32>() / values.len() as f32;
            assert!((found - expected).abs() < 1e-6, "{found} {expected}");
        }
    }
}
