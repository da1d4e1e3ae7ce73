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
    use crate::layers::joins::testing::check_fold;
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
    fn divides() {
        assert_eq!(Div::value(6.0, -2.0), -3.0);
        check_fold::<Two, Div>(Div::value);
        check_fold::<Channels, Div>(Div::value);
    }
}
