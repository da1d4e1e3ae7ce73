//! [`AdaptiveAvgPool3d`]: PyTorch's `nn.AdaptiveAvgPool3d`, channels last.

use super::pooling::average_node;
use crate::kernels::pool::Pool;
use unrolled_shape::rules::adaptive_avg_pool3d;
use unrolled_shape::rules::window::Over;

/// The average under windows that cover the input: `[D, H, W, C] -> [D', H', W', C]`.
#[derive(Clone, Debug, PartialEq)]
pub struct AdaptiveAvgPool3d;

average_node!(
    AdaptiveAvgPool3d,
    adaptive_avg_pool3d::AdaptiveAvgPool3d,
    S => Pool::adaptive(Over::Volumes, S::INPUT, S::OUTPUT),
    // There is no padding.
    false
);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::testing::{Trial, spec};

    spec!(Even: adaptive_avg_pool3d::AdaptiveAvgPool3d { size: [2, 3, 1] }, [&[4, 6, 3, 2]] -> &[2, 3, 1, 2]);
    spec!(Uneven: adaptive_avg_pool3d::AdaptiveAvgPool3d { size: [3, 2, 4] }, [&[5, 3, 7, 1]] -> &[3, 2, 4, 1]);

    #[test]
    fn agrees_with_finite_differences() {
        check_gradients(Trial::<Even, AdaptiveAvgPool3d>::random());
        check_gradients(Trial::<Uneven, AdaptiveAvgPool3d>::random());
    }

    fn check_gradients<S>(mut trial: Trial<S, AdaptiveAvgPool3d>)
    where
        S: crate::contract::Spec<Arguments = adaptive_avg_pool3d::AdaptiveAvgPool3d>,
    {
        trial.check_gradients();
    }

    #[test]
    fn windows_overlap_where_sizes_do_not_divide() {
        let mut trial = Trial::<Uneven, AdaptiveAvgPool3d>::random();
        trial.check_inference();
        let y = trial.infer();
        for (out, found) in y.iter().take(24).enumerate() {
            let (plane, row, column) = (out / 8, out / 4 % 2, out % 4);
            // Rounded down and up.
            let planes = [0..2, 1..4, 3..5][plane].clone();
            let rows = [0..2, 1..3][row].clone();
            let columns = [0..2, 1..4, 3..6, 5..7][column].clone();
            let pixels = planes.flat_map(|plane| rows.clone().map(move |row| plane * 3 + row));
            let pixels = pixels.flat_map(|line| columns.clone().map(move |w| line * 7 + w));
            let values = pixels.map(|pixel| trial.x[0][pixel]);
            let expected = values.clone().sum::<f32>() / values.count() as f32;
            assert!((found - expected).abs() < 1e-6, "{found} {expected}");
        }
    }
}
