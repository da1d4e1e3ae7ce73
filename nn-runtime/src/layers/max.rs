//! [`Max`]: PyTorch's `torch.maximum(a, b)`.

use super::joins::{Join, join};
use unrolled_shape::rules::max;

/// The larger of two branches, element by element: `[.., C], [.., C] or [C] -> [.., C]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Max;

join!(Max);

impl Join for Max {
    type Arguments = max::Max;

    #[inline(always)]
    fn value(a: f32, b: f32) -> f32 {
        // NaN if either is.
        if a > b || a.is_nan() { a } else { b }
    }

    #[cfg(feature = "train")]
    #[inline(always)]
    fn gradients(a: f32, b: f32, d_y: f32) -> [f32; 2] {
        // Equal elements share it, as in PyTorch.
        let [d_a, d_b] = if a == b {
            [0.5, 0.5]
        } else if a > b || a.is_nan() {
            [1.0, 0.0]
        } else {
            [0.0, 1.0]
        };
        [d_y * d_a, d_y * d_b]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::testing::{Trial, spec};

    spec!(Two: max::Max {}, [&[3, 4], &[3, 4]] -> &[3, 4]);
    spec!(Channels: max::Max {}, [&[2, 2, 3], &[3]] -> &[2, 2, 3]);

    #[test]
    fn agrees_with_finite_differences() {
        // Steps that do not change which is larger.
        let apart = |trial: &mut Vec<Vec<f32>>| {
            trial[0]
                .iter_mut()
                .enumerate()
                .for_each(|(i, x)| *x += if i % 2 == 0 { 3.0 } else { -3.0 });
        };
        let mut trial = Trial::<Two, Max>::random();
        apart(&mut trial.x);
        trial.check_gradients();
        let mut trial = Trial::<Channels, Max>::random();
        apart(&mut trial.x);
        trial.check_gradients();
    }

    #[test]
    fn broadcasts_channels() {
        let mut trial = Trial::<Channels, Max>::random();
        trial.check_inference();
        let y = trial.train().y;
        for out in 0..12 {
            let expected = Max::value(trial.x[0][12 + out], trial.x[1][3 + out % 3]);
            assert_eq!(y[12 + out], expected);
        }
    }

    #[test]
    fn equal_elements_share_the_gradient_and_nan_stays() {
        let mut trial = Trial::<Two, Max>::random();
        trial.x[0][..3].copy_from_slice(&[1.0, f32::NAN, 0.5]);
        trial.x[1][..3].copy_from_slice(&[1.0, 0.5, f32::NAN]);
        let outcome = trial.train();
        assert_eq!(outcome.y[0], 1.0);
        assert!(outcome.y[1].is_nan() && outcome.y[2].is_nan());
        let half = 0.5 * trial.d_y[0];
        assert_eq!((outcome.d_x[0][0], outcome.d_x[1][0]), (half, half));
    }
}
