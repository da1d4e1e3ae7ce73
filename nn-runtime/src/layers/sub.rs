//! [`Sub`]: PyTorch's `a - b`, for two or more branches.

use super::joins::fold;
#[cfg(feature = "train")]
use super::joins::sum_positions;
#[cfg(feature = "train")]
use crate::contract::{Backward, Forward, TrainNode};
use crate::contract::{Infer, Node, Spec, Streaming};
use crate::kernels::Instructions;
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

    #[inline(always)]
    fn infer_inlined<I: Instructions>(&self, _isa: I, Infer { n, x, y, .. }: Infer<'_>) {
        forward_inlined::<I::Lanes>(n, x, y);
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
    fn forward as forward_inlined<L>(n: usize, x: &[&[f32]], y: &mut [f32]) {
        fold(n, x, y, |a, b| a - b);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::joins::testing::check_fold;
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
        check_fold::<Two, Sub>(|a, b| a - b);
        check_fold::<Three, Sub>(|a, b| a - b);
        check_fold::<Channels, Sub>(|a, b| a - b);
    }
}
