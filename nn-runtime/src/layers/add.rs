//! [`Add`]: PyTorch's `a + b`, for two or more branches.

#[cfg(feature = "train")]
use crate::contract::{Backward, Forward, TrainNode};
use crate::contract::{Infer, Node, Spec, Streaming};
use crate::kernels::dispatch::dispatch;
use crate::types::Weights;
use unrolled_shape::rules::add;

/// The sum of all branches, element by element: `[..], [..], .. -> [..]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Add;

// SAFETY: a struct without fields contains nothing but `f32`s.
unsafe impl Weights for Add {}

impl<S: Spec<Arguments = add::Add>> Node<S> for Add {
    fn infer(&self, Infer { x, y, .. }: Infer<'_>) {
        sum(x, y);
    }
}

impl<S: Spec<Arguments = add::Add>> Streaming<S> for Add {}

#[cfg(feature = "train")]
impl<S: Spec<Arguments = add::Add>> TrainNode<S> for Add {
    fn forward_shard(&self, Forward { x, y, .. }: Forward<'_>) {
        sum(x, y);
    }

    fn backward_shard(&self, Backward { d_y, d_x, .. }: Backward<'_, '_>) {
        for d_x in d_x.iter_mut().flatten() {
            d_x.copy_from_slice(d_y);
        }
    }
}

dispatch! {
    fn sum(x: &[&[f32]], y: &mut [f32]) {
        // The first two at once, so that `y` is not read and written once more.
        for ((y, a), b) in y.iter_mut().zip(x[0]).zip(x[1]) {
            *y = a + b;
        }
        for x in &x[2..] {
            for (y, x) in y.iter_mut().zip(*x) {
                *y += x;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::testing::{Trial, spec};

    spec!(Two: add::Add {}, [&[3, 4], &[3, 4]] -> &[3, 4]);
    spec!(Three: add::Add {}, [&[5], &[5], &[5]] -> &[5]);

    #[test]
    fn agrees_with_finite_differences() {
        Trial::<Two, Add>::random().check_gradients();
        Trial::<Three, Add>::random().check_gradients();
    }

    #[test]
    fn adds_all_branches() {
        let mut trial = Trial::<Three, Add>::random();
        for (x, begin) in trial.x.iter_mut().zip([1.0, 10.0, 100.0]) {
            x[..2].copy_from_slice(&[begin, -begin]);
        }
        assert_eq!(trial.infer()[..2], [111.0, -111.0]);
        trial.check_inference();
    }
}
