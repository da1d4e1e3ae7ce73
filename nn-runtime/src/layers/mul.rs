//! [`Mul`]: PyTorch's `a * b`, for two or more branches.

use super::joins::fold;
#[cfg(feature = "train")]
use crate::contract::{Backward, Forward, TrainNode};
use crate::contract::{Infer, Node, Spec, Streaming};
use crate::kernels::Instructions;
use crate::kernels::dispatch::dispatch;
use crate::types::Weights;
use unrolled_shape::rules::mul;

/// The product of all branches, element by element: `[.., C], [.., C] or [C], .. -> [.., C]`.
///
/// A branch `[C]` or `[1, .., C]` scales the channels of the first branch, as in squeeze and excitation.
#[derive(Clone, Debug, PartialEq)]
pub struct Mul;

// SAFETY: a struct without fields contains nothing but `f32`s.
unsafe impl Weights for Mul {}

impl<S: Spec<Arguments = mul::Mul>> Node<S> for Mul {
    fn infer(&self, Infer { n, x, y, .. }: Infer<'_>) {
        product(n, x, y);
    }

    #[inline(always)]
    fn infer_inlined<I: Instructions>(&self, _isa: I, Infer { n, x, y, .. }: Infer<'_>) {
        product_inlined::<I::Lanes>(n, x, y);
    }
}

impl<S: Spec<Arguments = mul::Mul>> Streaming<S> for Mul {}

#[cfg(feature = "train")]
impl<S: Spec<Arguments = mul::Mul>> TrainNode<S> for Mul {
    /// The gradient of a branch of one sample, before it is summed over the positions that the branch scales.
    const TRAIN_SCRATCH: usize = S::OUT;

    fn forward_shard(&self, Forward { pass, x, y, .. }: Forward<'_>) {
        product(pass.n, x, y);
    }

    fn backward_shard(&self, Backward { pass, x, d_y, d_x, ctx, .. }: Backward<'_, '_>) {
        for (branch, d_x) in d_x.iter_mut().enumerate() {
            if let Some(d_x) = d_x {
                backward(Factors { n: pass.n, branch, x }, d_y, d_x, &mut ctx.scratch[..S::OUT]);
            }
        }
    }
}

dispatch! {
    fn product as product_inlined<L>(n: usize, x: &[&[f32]], y: &mut [f32]) {
        fold(n, x, y, |a, b| a * b);
    }
}

/// The factors of the gradient of one branch: all branches but this one.
#[cfg(feature = "train")]
struct Factors<'a> {
    n: usize,
    branch: usize,
    x: &'a [&'a [f32]],
}

#[cfg(feature = "train")]
dispatch! {
    /// The gradient of one branch: that of the output times all other branches.
    fn backward(factors: Factors<'_>, d_y: &[f32], d_x: &mut [f32], scratch: &mut [f32]) {
        let Factors { n, branch, x } = factors;
        let branch_len = d_x.len() / n;
        for (sample, d_x) in d_x.chunks_exact_mut(branch_len).enumerate() {
            scratch.copy_from_slice(&d_y[sample * scratch.len()..][..scratch.len()]);
            // All other branches, not `y / x`: a factor may be 0.
            for (_, x) in x.iter().enumerate().filter(|(other, _)| *other != branch) {
                let len = x.len() / n;
                multiply(scratch, &x[sample * len..][..len]);
            }
            d_x.fill(0.0);
            for scaled in scratch.chunks_exact(branch_len) {
                for (d_x, d) in d_x.iter_mut().zip(scaled) {
                    *d_x += d;
                }
            }
        }
    }
}

/// Multiplies one sample by one sample of a branch, which may consist of its channels only.
#[cfg(feature = "train")]
#[inline(always)]
fn multiply(y: &mut [f32], x: &[f32]) {
    for scaled in y.chunks_exact_mut(x.len()) {
        for (y, x) in scaled.iter_mut().zip(x) {
            *y *= x;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::joins::testing::check_fold;
    use crate::layers::testing::{Trial, spec};

    spec!(Two: mul::Mul {}, [&[3, 4], &[3, 4]] -> &[3, 4]);
    spec!(Three: mul::Mul {}, [&[2, 2, 3], &[3], &[1, 1, 3]] -> &[2, 2, 3]);
    spec!(Gate: mul::Mul {}, [&[2, 2], &[2]] -> &[2, 2]);

    #[test]
    fn agrees_with_finite_differences() {
        Trial::<Two, Mul>::random().check_gradients();
        Trial::<Three, Mul>::random().check_gradients();
        Trial::<Gate, Mul>::random().check_gradients();
    }

    #[test]
    fn multiplies_all_branches() {
        check_fold::<Two, Mul>(|a, b| a * b);
        check_fold::<Three, Mul>(|a, b| a * b);
    }

    #[test]
    fn a_branch_of_channels_scales_them() {
        let mut trial = Trial::<Gate, Mul>::random();
        trial.x[0][..4].copy_from_slice(&[1.0, 2.0, 3.0, 4.0]);
        trial.x[1][..2].copy_from_slice(&[10.0, 100.0]);
        trial.d_y[..4].copy_from_slice(&[1.0, 1.0, 1.0, -1.0]);
        let outcome = trial.train();
        assert_eq!(outcome.y[..4], [10.0, 200.0, 30.0, 400.0]);
        assert_eq!(outcome.d_x[0][..4], [10.0, 100.0, 10.0, -100.0]);
        assert_eq!(outcome.d_x[1][..2], [4.0, -2.0]);
    }

    #[test]
    fn a_branch_that_is_zero_gets_a_gradient() {
        let mut trial = Trial::<Two, Mul>::random();
        trial.x[0][0] = 0.0;
        let outcome = trial.train();
        assert_eq!(outcome.d_x[0][0], trial.d_y[0] * trial.x[1][0]);
    }
}
