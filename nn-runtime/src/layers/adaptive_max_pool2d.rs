//! [`AdaptiveMaxPool2d`]: PyTorch's `nn.AdaptiveMaxPool2d`, channels last.

use super::pooling::max_node;
use crate::kernels::pool::Pool;
use unrolled_shape::rules::adaptive_max_pool2d;
use unrolled_shape::rules::window::Over;

/// The maximum under windows that cover the input: `[H, W, C] -> [H', W', C]`.
#[derive(Clone, Debug, PartialEq)]
pub struct AdaptiveMaxPool2d;

max_node!(AdaptiveMaxPool2d, adaptive_max_pool2d::AdaptiveMaxPool2d, S => Pool::adaptive(Over::Images, S::INPUT, S::OUTPUT));

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::{Spec, TrainNode};
    use crate::layers::testing::{Trial, spec};

    spec!(Even: adaptive_max_pool2d::AdaptiveMaxPool2d { size: [2, 3] }, [&[4, 6, 2]] -> &[2, 3, 2]);
    spec!(Uneven: adaptive_max_pool2d::AdaptiveMaxPool2d { size: [3, 4] }, [&[5, 7, 3]] -> &[3, 4, 3]);

    #[test]
    fn agrees_with_finite_differences() {
        fn check<S: Spec>()
        where
            AdaptiveMaxPool2d: TrainNode<S>,
        {
            let mut trial = Trial::<S, AdaptiveMaxPool2d>::random().with_step(1e-3, 1e-3);
            // Values so far apart that no step changes a maximum.
            for (i, x) in trial.x[0].iter_mut().enumerate() {
                *x = (i * 37 % 101) as f32 / 16.0;
            }
            trial.check_gradients();
        }
        check::<Even>();
        check::<Uneven>();
    }

    #[test]
    fn windows_overlap_where_sizes_do_not_divide() {
        let mut trial = Trial::<Uneven, AdaptiveMaxPool2d>::random();
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
            let expected = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            assert!((found - expected).abs() < 1e-6, "{found} {expected}");
        }
    }
}
