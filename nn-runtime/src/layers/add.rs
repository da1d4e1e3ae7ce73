//! [`Add`]: PyTorch's `a + b`, for two or more branches.

use super::joins::fold;
#[cfg(feature = "train")]
use super::joins::sum_positions;
#[cfg(feature = "train")]
use crate::contract::{Backward, Forward, TrainNode};
use crate::contract::{Infer, Node, Spec, Streaming};
use crate::kernels::Instructions;
use crate::kernels::dispatch::dispatch;
use crate::types::Weights;
use unrolled_shape::rules::add;

/// The sum of all branches, element by element: `[.., C], [.., C] or [C], .. -> [.., C]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Add;

// SAFETY: a struct without fields contains nothing but `f32`s.
unsafe impl Weights for Add {}

impl<S: Spec<Arguments = add::Add>> Node<S> for Add {
    fn infer(&self, Infer { n, x, y, .. }: Infer<'_>) {
        forward(n, x, y);
    }

    #[inline(always)]
    fn infer_inlined<I: Instructions>(&self, _isa: I, Infer { n, x, y, .. }: Infer<'_>) {
        forward_inlined::<I::Lanes>(n, x, y);
    }
}

impl<S: Spec<Arguments = add::Add>> Streaming<S> for Add {}

#[cfg(feature = "train")]
impl<S: Spec<Arguments = add::Add>> TrainNode<S> for Add {
    fn forward_shard(&self, Forward { pass, x, y, .. }: Forward<'_>) {
        forward(pass.n, x, y);
    }

    fn backward_shard(&self, Backward { pass, d_y, d_x, .. }: Backward<'_, '_>) {
        for d_x in d_x.iter_mut().flatten() {
            if d_x.len() == d_y.len() {
                d_x.copy_from_slice(d_y);
            } else {
                sum_positions(pass.n, S::OUT, d_x, |i, _| d_y[i]);
            }
        }
    }
}

dispatch! {
    fn forward as forward_inlined<L>(n: usize, x: &[&[f32]], y: &mut [f32]) {
        fold(n, x, y, |a, b| a + b);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::joins::testing::check_fold;
    use crate::layers::testing::{Trial, spec};

    spec!(Two: add::Add {}, [&[3, 4], &[3, 4]] -> &[3, 4]);
    spec!(Three: add::Add {}, [&[5], &[5], &[5]] -> &[5]);
    spec!(Channels: add::Add {}, [&[2, 2, 3], &[3], &[1, 1, 3]] -> &[2, 2, 3]);

    #[test]
    fn agrees_with_finite_differences() {
        Trial::<Two, Add>::random().check_gradients();
        Trial::<Three, Add>::random().check_gradients();
        Trial::<Channels, Add>::random().check_gradients();
    }

    #[test]
    fn adds_all_branches() {
        check_fold::<Two, Add>(|a, b| a + b);
        check_fold::<Three, Add>(|a, b| a + b);
        check_fold::<Channels, Add>(|a, b| a + b);
    }
}
