//! [`AdaptiveMaxPool3d`]: PyTorch's `nn.AdaptiveMaxPool3d`, channels last.

use super::pooling::max_node;
use crate::kernels::pool::Pool;
use unrolled_shape::rules::adaptive_max_pool3d;
use unrolled_shape::rules::window::Over;

/// The maximum under windows that cover the input: `[D, H, W, C] -> [D', H', W', C]`.
#[derive(Clone, Debug, PartialEq)]
pub struct AdaptiveMaxPool3d;

max_node!(AdaptiveMaxPool3d, adaptive_max_pool3d::AdaptiveMaxPool3d, S => Pool::adaptive(Over::Volumes, S::INPUT, S::OUTPUT));

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::testing::{Trial, spec};

    spec!(Even: adaptive_max_pool3d::AdaptiveMaxPool3d { size: [2, 3, 1] }, [&[4, 6, 3, 2]] -> &[2, 3, 1, 2]);
    spec!(Uneven: adaptive_max_pool3d::AdaptiveMaxPool3d { size: [3, 2, 4] }, [&[5, 3, 7, 1]] -> &[3, 2, 4, 1]);

    #[test]
    fn agrees_with_finite_differences() {
        check_gradients(Trial::<Even, AdaptiveMaxPool3d>::random());
        check_gradients(Trial::<Uneven, AdaptiveMaxPool3d>::random());
    }

    fn check_gradients<S>(mut trial: Trial<S, AdaptiveMaxPool3d>)
    where
        S: crate::contract::Spec<Arguments = adaptive_max_pool3d::AdaptiveMaxPool3d>,
    {
        // Values so far apart that no step changes a maximum.
        for (i, x) in trial.x[0].iter_mut().enumerate() {
            *x = (i * 37 % 211) as f32 / 16.0 - 6.0;
        }
        trial.with_step(1e-3, 1e-3).check_gradients();
    }

    #[test]
    fn windows_overlap_where_sizes_do_not_divide() {
        let mut trial = Trial::<Uneven, AdaptiveMaxPool3d>::random();
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
            let expected = values.fold(f32::NEG_INFINITY, f32::max);
            assert!((found - expected).abs() < 1e-6, "{found} {expected}");
        }
    }
}
