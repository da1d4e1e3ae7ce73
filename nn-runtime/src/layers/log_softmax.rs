//! [`LogSoftmax`]: PyTorch's `nn.LogSoftmax(dim=-1)`.

#[cfg(feature = "train")]
use crate::contract::{Backward, Forward, TrainNode};
use crate::contract::{Infer, Node, Spec, Streaming};
use crate::kernels::dispatch::dispatch;
use crate::kernels::elementwise::exp;
use crate::kernels::{Instructions, rows};
#[cfg(not(feature = "std"))]
use crate::system::FloatMath;
use crate::types::Weights;
use unrolled_shape::rules::log_softmax;

/// `x - ln(sum(exp(x)))` over the last axis: `[.., C] -> [.., C]`.
#[derive(Clone, Debug, PartialEq)]
pub struct LogSoftmax;

// SAFETY: a struct without fields contains nothing but `f32`s.
unsafe impl Weights for LogSoftmax {}

impl<S: Spec<Arguments = log_softmax::LogSoftmax>> Node<S> for LogSoftmax {
    fn infer(&self, Infer { x, y, .. }: Infer<'_>) {
        forward(S::INPUT.last(), x[0], y);
    }

    #[inline(always)]
    fn infer_inlined<I: Instructions>(&self, _isa: I, Infer { x, y, .. }: Infer<'_>) {
        forward_inlined::<I::Lanes>(S::INPUT.last(), x[0], y);
    }
}

impl<S: Spec<Arguments = log_softmax::LogSoftmax>> Streaming<S> for LogSoftmax {}

#[cfg(feature = "train")]
impl<S: Spec<Arguments = log_softmax::LogSoftmax>> TrainNode<S> for LogSoftmax {
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
        for (x, y) in x.chunks_exact(classes).zip(y.chunks_exact_mut(classes)) {
            let ln_sum = rows::sum(y).ln();
            // From `x` again: an exponential may be rounded to 0, whose logarithm is infinite.
            rows::below_max(classes, x, y);
            for y in y {
                *y -= ln_sum;
            }
        }
    }
}

#[cfg(feature = "train")]
dispatch! {
    fn backward<L>(classes: usize, y: &[f32], d_y: &[f32], d_x: &mut [f32]) {
        for (d_x, &y) in d_x.iter_mut().zip(y) {
            *d_x = exp::<L>(y);
        }
        for (d_y, d_x) in d_y.chunks_exact(classes).zip(d_x.chunks_exact_mut(classes)) {
            let sum = rows::sum(d_y);
            for (d_x, &d_y) in d_x.iter_mut().zip(d_y) {
                *d_x = d_y - *d_x * sum;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::activation::testing::check_close;
    use crate::layers::testing::{Trial, spec};

    spec!(Few: log_softmax::LogSoftmax {}, [&[2, 4]] -> &[2, 4]);
    spec!(Many: log_softmax::LogSoftmax {}, [&[37]] -> &[37]);

    #[test]
    fn agrees_with_finite_differences() {
        Trial::<Few, LogSoftmax>::random().with_step(1e-2, 1e-3).check_gradients();
        Trial::<Many, LogSoftmax>::random().with_step(1e-2, 1e-3).check_gradients();
        Trial::<Many, LogSoftmax>::random().check_inference();
    }

    #[test]
    fn agrees_with_pytorch() {
        let mut trial = Trial::<Few, LogSoftmax>::random();
        trial.x[0][..8].copy_from_slice(&[-1.0, -0.5, -0.001, 0.0, 0.25, 1.0, 2.5, 3.0]);
        trial.d_y[..8].copy_from_slice(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]);
        let outcome = trial.train();
        check_close(
            &outcome.y[..8],
            &[
                -2.08970964,
                -1.58970964,
                -1.09070964,
                -1.08970964,
                -3.34100028,
                -2.59100028,
                -1.09100028,
                -0.591000276,
            ],
        );
        check_close(
            &outcome.d_x[0][..8],
            &[
                -0.237230543,
                -0.0398483128,
                -0.359779842,
                0.636858698,
                4.07956025,
                4.05142904,
                -1.73288917,
                -6.39810013,
            ],
        );
    }

    #[test]
    fn large_values_do_not_overflow() {
        let mut trial = Trial::<Few, LogSoftmax>::random();
        trial.x[0][..4].copy_from_slice(&[1e30, 0.0, -1e30, f32::NEG_INFINITY]);
        assert_eq!(trial.infer()[..4], [0.0, -1e30, -2e30, f32::NEG_INFINITY]);
    }

    #[test]
    fn nan_affects_only_its_row() {
        let mut trial = Trial::<Few, LogSoftmax>::random();
        trial.x[0][1] = f32::NAN;
        let y = trial.infer();
        assert!(y[..4].iter().all(|y| y.is_nan()) && y[4..].iter().all(|y| y.is_finite()));
    }
}
