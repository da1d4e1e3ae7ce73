//! [`Softmax`]: PyTorch's `nn.Softmax(dim=-1)`.

#[cfg(feature = "train")]
use crate::contract::{Backward, Forward, TrainNode};
use crate::contract::{Infer, Node, Spec, Streaming};
use crate::kernels::dispatch::dispatch;
use crate::kernels::{Instructions, rows};
use crate::types::Weights;
use unrolled_shape::rules::softmax;

/// `exp(x) / sum(exp(x))` over the last axis: `[.., C] -> [.., C]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Softmax;

// SAFETY: a struct without fields contains nothing but `f32`s.
unsafe impl Weights for Softmax {}

impl<S: Spec<Arguments = softmax::Softmax>> Node<S> for Softmax {
    fn infer(&self, Infer { x, y, .. }: Infer<'_>) {
        forward(S::INPUT.last(), x[0], y);
    }

    #[inline(always)]
    fn infer_inlined<I: Instructions>(&self, _isa: I, Infer { x, y, .. }: Infer<'_>) {
        forward_inlined::<I::Lanes>(S::INPUT.last(), x[0], y);
    }
}

impl<S: Spec<Arguments = softmax::Softmax>> Streaming<S> for Softmax {}

#[cfg(feature = "train")]
impl<S: Spec<Arguments = softmax::Softmax>> TrainNode<S> for Softmax {
    fn forward_shard(&self, Forward { x, y, .. }: Forward<'_>) {
        forward(S::INPUT.last(), x[0], y);
    }

    fn backward_shard(&self, Backward { y, d_y, d_x, .. }: Backward<'_, '_>) {
        if let Some(d_x) = &mut d_x[0] {
            backward(S::INPUT.last(), y, d_y, d_x);
        }
    }
}

dispatch! {
    fn forward as forward_inlined<L>(classes: usize, x: &[f32], y: &mut [f32]) {
        rows::exp_below_max::<L>(classes, x, y);
        for y in y.chunks_exact_mut(classes) {
            let sum = rows::sum(y);
            for y in y {
                *y /= sum;
            }
        }
    }
}

#[cfg(feature = "train")]
dispatch! {
    fn backward(classes: usize, y: &[f32], d_y: &[f32], d_x: &mut [f32]) {
        let rows = y.chunks_exact(classes).zip(d_y.chunks_exact(classes));
        for ((y, d_y), d_x) in rows.zip(d_x.chunks_exact_mut(classes)) {
            for ((d_x, &y), &d_y) in d_x.iter_mut().zip(y).zip(d_y) {
                *d_x = y * d_y;
            }
            let sum = rows::sum(d_x);
            for ((d_x, &y), &d_y) in d_x.iter_mut().zip(y).zip(d_y) {
                *d_x = y * (d_y - sum);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::activation::testing::check_close;
    use crate::layers::testing::{Trial, spec};

    spec!(Few: softmax::Softmax {}, [&[2, 4]] -> &[2, 4]);
    spec!(Many: softmax::Softmax {}, [&[37]] -> &[37]);

    #[test]
    fn agrees_with_finite_differences() {
        Trial::<Few, Softmax>::random().with_step(1e-2, 1e-3).check_gradients();
        Trial::<Many, Softmax>::random().with_step(1e-2, 1e-3).check_gradients();
        Trial::<Many, Softmax>::random().check_inference();
    }

    #[test]
    fn agrees_with_pytorch() {
        let mut trial = Trial::<Few, Softmax>::random();
        trial.x[0][..8].copy_from_slice(&[-1.0, -0.5, -0.001, 0.0, 0.25, 1.0, 2.5, 3.0]);
        trial.d_y[..8].copy_from_slice(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]);
        let outcome = trial.train();
        check_close(
            &outcome.y[..8],
            &[
                0.123723054,
                0.203984831,
                0.335977984,
                0.33631413,
                0.0354015287,
                0.0749450369,
                0.335880353,
                0.553773082,
            ],
        );
        check_close(
            &outcome.d_x[0][..8],
            &[
                -0.233203505,
                -0.180502748,
                0.0386767136,
                0.37502954,
                -0.0852477657,
                -0.105524485,
                -0.137047577,
                0.327819827,
            ],
        );
    }

    #[test]
    fn large_values_do_not_overflow() {
        let mut trial = Trial::<Few, Softmax>::random();
        trial.x[0][..4].copy_from_slice(&[3e38, 3e38, -3e38, f32::NEG_INFINITY]);
        assert_eq!(trial.infer()[..4], [0.5, 0.5, 0.0, 0.0]);
    }

    #[test]
    fn nan_affects_only_its_row() {
        let mut trial = Trial::<Few, Softmax>::random();
        trial.x[0][1] = f32::NAN;
        let y = trial.infer();
        assert!(y[..4].iter().all(|y| y.is_nan()) && y[4..].iter().all(|y| y.is_finite()));
    }
}
