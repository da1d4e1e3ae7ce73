//! [`Div`]: PyTorch's `a / b`.

use super::joins::{Join, join};
use unrolled_shape::rules::div;

/// The first branch divided by the second, element by element: `[.., C], [.., C] or [C] -> [.., C]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Div;

join!(Div);

impl Join for Div {
    type Arguments = div::Div;

    #[inline(always)]
    fn value(a: f32, b: f32) -> f32 {
        a / b
    }

    #[cfg(feature = "train")]
    #[inline(always)]
    fn gradients(a: f32, b: f32, d_y: f32) -> [f32; 2] {
        [d_y / b, -d_y * (a / b / b)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::{Spec, TrainNode};
    use crate::layers::testing::{Trial, spec};

    spec!(Two: div::Div {}, [&[3, 4], &[3, 4]] -> &[3, 4]);
    spec!(Channels: div::Div {}, [&[2, 2, 3], &[3]] -> &[2, 2, 3]);

    #[test]
    fn agrees_with_finite_differences() {
        fn check<S: Spec>()
        where
            Div: TrainNode<S>,
        {
            let mut trial = Trial::<S, Div>::random().with_step(1e-2, 1e-3);
            for x in &mut trial.x[1] {
                *x = x.signum() * (x.abs() + 1.0);
            }
            trial.check_gradients();
        }
        check::<Two>();
        check::<Channels>();
    }

    #[test]
    fn broadcasts_channels() {
        let mut trial = Trial::<Channels, Div>::random();
        trial.check_inference();
        let y = trial.train().y;
        for out in 0..12 {
            let expected = Div::value(trial.x[0][12 + out], trial.x[1][3 + out % 3]);
            assert_eq!(y[12 + out], expected);
        }
    }

    #[test]
    fn divides() {
        let mut trial = Trial::<Two, Div>::random();
        trial.x[0][..2].copy_from_slice(&[6.0, -1.0]);
        trial.x[1][..2].copy_from_slice(&[-2.0, 4.0]);
        assert_eq!(trial.infer()[..2], [-3.0, -0.25]);
    }
}
