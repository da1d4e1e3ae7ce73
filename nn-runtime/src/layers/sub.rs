//! [`Sub`]: PyTorch's `a - b`, for two or more branches.

#[cfg(feature = "train")]
use super::joins::sum_positions;
use super::joins::{zip, zip_in_place};
#[cfg(feature = "train")]
use crate::contract::{Backward, Forward, TrainNode};
use crate::contract::{Infer, Node, Spec, Streaming};
use crate::kernels::dispatch::dispatch;
use crate::types::Weights;
use unrolled_shape::rules::sub;

/// The first branch minus all others, element by element: `[.., C], [.., C] or [C], .. -> [.., C]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Sub;

// SAFETY: a struct without fields contains nothing but `f32`s.
unsafe impl Weights for Sub {}

impl<S: Spec<Arguments = sub::Sub>> Node<S> for Sub {
    fn infer(&self, Infer { n, x, y, .. }: Infer<'_>) {
        forward(n, x, y);
    }
}

impl<S: Spec<Arguments = sub::Sub>> Streaming<S> for Sub {}

#[cfg(feature = "train")]
impl<S: Spec<Arguments = sub::Sub>> TrainNode<S> for Sub {
    fn forward_shard(&self, Forward { pass, x, y, .. }: Forward<'_>) {
        forward(pass.n, x, y);
    }

    fn backward_shard(&self, Backward { pass, d_y, d_x, .. }: Backward<'_, '_>) {
        if let Some(d_x) = &mut d_x[0] {
            d_x.copy_from_slice(d_y);
        }
        for d_x in d_x[1..].iter_mut().flatten() {
            sum_positions(pass.n, S::OUT, d_x, |i, _| -d_y[i]);
        }
    }
}

dispatch! {
    fn forward(n: usize, x: &[&[f32]], y: &mut [f32]) {
        // The first two at once, so that `y` is not read and written once more.
        zip(n, [x[0], x[1]], y, |a, b| a - b);
        for x in &x[2..] {
            zip_in_place(n, x, y, |y, x| y - x);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::testing::{Trial, spec};

    spec!(Two: sub::Sub {}, [&[3, 4], &[3, 4]] -> &[3, 4]);
    spec!(Three: sub::Sub {}, [&[5], &[5], &[5]] -> &[5]);
    spec!(Channels: sub::Sub {}, [&[2, 2, 3], &[3], &[1, 1, 3]] -> &[2, 2, 3]);

    #[test]
    fn agrees_with_finite_differences() {
        Trial::<Two, Sub>::random().check_gradients();
        Trial::<Three, Sub>::random().check_gradients();
        Trial::<Channels, Sub>::random().check_gradients();
    }

    #[test]
    fn subtracts_all_other_branches() {
        let mut trial = Trial::<Three, Sub>::random();
        for (x, begin) in trial.x.iter_mut().zip([1.0, 10.0, 100.0]) {
            x[..2].copy_from_slice(&[begin, -begin]);
        }
        assert_eq!(trial.infer()[..2], [-109.0, 109.0]);
        trial.check_inference();
        Trial::<Two, Sub>::random().check_inference();
    }

    #[test]
    fn broadcasts_channels() {
        let mut trial = Trial::<Channels, Sub>::random();
        trial.check_inference();
        let outcome = trial.train();
        for out in 0..12 {
            let [a, b, c] =
                [trial.x[0][12 + out], trial.x[1][3 + out % 3], trial.x[2][3 + out % 3]];
            assert_eq!(outcome.y[12 + out], a - b - c);
        }
    }
}
