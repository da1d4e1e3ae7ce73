//! [`AdaptiveMaxPool1d`]: PyTorch's `nn.AdaptiveMaxPool1d`, channels last.

use super::pooling::max_node;
use crate::kernels::pool::Pool;
use unrolled_shape::rules::adaptive_max_pool1d;
use unrolled_shape::rules::window::Over;

/// The maximum under windows that cover the input: `[T, C] -> [T', C]`.
#[derive(Clone, Debug, PartialEq)]
pub struct AdaptiveMaxPool1d;

max_node!(AdaptiveMaxPool1d, adaptive_max_pool1d::AdaptiveMaxPool1d, S => Pool::adaptive(Over::Steps, S::INPUT, S::OUTPUT));

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::{Spec, TrainNode};
    use crate::layers::testing::{Trial, spec};

    spec!(Even: adaptive_max_pool1d::AdaptiveMaxPool1d { size: 3 }, [&[6, 2]] -> &[3, 2]);
    spec!(Uneven: adaptive_max_pool1d::AdaptiveMaxPool1d { size: 4 }, [&[7, 3]] -> &[4, 3]);

    #[test]
    fn agrees_with_finite_differences() {
        fn check<S: Spec>()
        where
            AdaptiveMaxPool1d: TrainNode<S>,
        {
            let mut trial = Trial::<S, AdaptiveMaxPool1d>::random().with_step(1e-3, 1e-3);
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
        let mut trial = Trial::<Uneven, AdaptiveMaxPool1d>::random();
        trial.check_inference();
        let y = trial.infer();
        for out in 0..12 {
            // Rounded down and up.
            let steps = [0..2, 1..4, 3..6, 5..7][out / 3].clone();
            let values: Vec<f32> = steps.map(|step| trial.x[0][step * 3 + out % 3]).collect();
            let expected = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            assert!((y[out] - expected).abs() < 1e-6, "{} {expected}", y[out]);
        }
    }
}
