//! [`Softmax`]: PyTorch's `nn.Softmax(dim=-1)`, or over another axis.

#[cfg(feature = "train")]
use crate::contract::{Backward, Forward, TrainNode};
use crate::contract::{Infer, Node, Spec, Streaming};
use crate::kernels::dispatch::dispatch;
use crate::kernels::elementwise::exp;
use crate::kernels::{Baseline, Instructions, rows};
use crate::types::{Lengths, Weights};
use core::ops::Range;
use unrolled_shape::rules::softmax;

/// `exp(x) / sum(exp(x))` over one axis: `[..] -> [..]`. Over the steps of a sequence, those after its end are left out.
#[derive(Clone, Debug, PartialEq)]
pub struct Softmax;

// SAFETY: a struct without fields contains nothing but `f32`s.
unsafe impl Weights for Softmax {}

impl<S: Spec<Arguments = softmax::Softmax>> Node<S> for Softmax {
    fn infer(&self, Infer { x, y, ctx, .. }: Infer<'_>) {
        match columns::<S>() {
            None => forward(S::INPUT.last(), x[0], y),
            Some(columns) => {
                columns.for_each::<S>(&ctx.lengths, y.len(), |at, valid| {
                    columns.forward(valid, &x[0][at.clone()], &mut y[at]);
                });
            }
        }
    }

    #[inline(always)]
    fn infer_inlined<I: Instructions>(&self, isa: I, call: Infer<'_>) {
        let _ = isa;
        match columns::<S>() {
            None => forward_inlined::<I::Lanes>(S::INPUT.last(), call.x[0], call.y),
            Some(_) => Node::<S>::infer(self, call),
        }
    }
}

impl<S: Spec<Arguments = softmax::Softmax>> Streaming<S> for Softmax {}

#[cfg(feature = "train")]
impl<S: Spec<Arguments = softmax::Softmax>> TrainNode<S> for Softmax {
    fn forward_shard(&self, Forward { pass, x, y, ctx, .. }: Forward<'_>) {
        Node::<S>::infer(self, Infer { n: pass.n, x, y, ctx: ctx.for_inference() });
    }

    fn backward_shard(&self, Backward { y, d_y, d_x, ctx, .. }: Backward<'_, '_>) {
        let Some(d_x) = &mut d_x[0] else { return };
        match columns::<S>() {
            None => backward(S::INPUT.last(), y, d_y, d_x),
            Some(columns) => {
                columns.for_each::<S>(&ctx.lengths, y.len(), |at, valid| {
                    columns.backward(valid, [&y[at.clone()], &d_y[at.clone()]], &mut d_x[at]);
                });
            }
        }
    }
}

/// The sizes where the axis is not the last one, so that its elements are columns of a matrix.
#[derive(Clone, Copy)]
struct Columns {
    /// The size of the axis.
    size: usize,
    /// The number of columns: the elements along the axes after it.
    count: usize,
}

const fn columns<S: Spec<Arguments = softmax::Softmax>>() -> Option<Columns> {
    let (axis, rank) = (S::ARGUMENTS.axis(S::INPUT), S::INPUT.rank());
    if axis + 1 == rank {
        return None;
    }
    Some(Columns { size: S::INPUT.dim(axis), count: S::INPUT.span(axis + 1, rank) })
}

impl Columns {
    /// Calls `f` with the range of each matrix among `len` elements, and with its number of valid rows.
    fn for_each<S: Spec<Arguments = softmax::Softmax>>(
        self,
        lengths: &Lengths<'_>,
        len: usize,
        mut f: impl FnMut(Range<usize>, usize),
    ) {
        let matrix = self.size * self.count;
        let steps = lengths.of::<S>(0);
        for begin in (0..len).step_by(matrix) {
            let is_steps = S::ARGUMENTS.axis(S::INPUT) == 0;
            let valid = if is_steps { steps.valid(begin / matrix, self.size) } else { self.size };
            f(begin..begin + matrix, valid);
        }
    }

    /// Softmax of each column of a matrix, over its first `valid` rows.
    // Column by column: hardly any network has this on its path, and its columns are short.
    fn forward(self, valid: usize, x: &[f32], y: &mut [f32]) {
        y[valid * self.count..].fill(0.0);
        for first in 0..self.count {
            let rows = || (0..valid).map(|row| row * self.count + first);
            // NaN is the maximum, so that the whole column is NaN.
            let largest =
                |max: f32, at: usize| if x[at] > max || x[at].is_nan() { x[at] } else { max };
            let max = rows().fold(f32::NEG_INFINITY, largest);
            let mut sum = 0.0;
            for at in rows() {
                y[at] = exp::<Baseline>(x[at] - max);
                sum += y[at];
            }
            rows().for_each(|at| y[at] /= sum);
        }
    }

    /// The gradient of the input of [`Self::forward`].
    #[cfg(feature = "train")]
    fn backward(self, valid: usize, [y, d_y]: [&[f32]; 2], d_x: &mut [f32]) {
        d_x[valid * self.count..].fill(0.0);
        for first in 0..self.count {
            let rows = || (0..valid).map(|row| row * self.count + first);
            let sum: f32 = rows().map(|at| y[at] * d_y[at]).sum();
            rows().for_each(|at| d_x[at] = y[at] * (d_y[at] - sum));
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
    use crate::layers::testing::{Trial, check_lengths, spec};

    spec!(Few: softmax::Softmax { axis: None }, [&[2, 4]] -> &[2, 4]);
    spec!(Steps: softmax::Softmax { axis: Some(0) }, [&[4, 3]] -> &[4, 3]);
    spec!(ShortSteps: softmax::Softmax { axis: Some(0) }, [&[2, 3]] -> &[2, 3]);
    spec!(Middle: softmax::Softmax { axis: Some(1) }, [&[2, 4, 3]] -> &[2, 4, 3]);
    spec!(Many: softmax::Softmax { axis: None }, [&[37]] -> &[37]);

    #[test]
    fn agrees_with_finite_differences() {
        Trial::<Few, Softmax>::random().with_step(1e-2, 1e-3).check_gradients();
        Trial::<Many, Softmax>::random().with_step(1e-2, 1e-3).check_gradients();
        Trial::<Many, Softmax>::random().check_inference();
    }

    #[test]
    fn of_other_axes_agrees_with_finite_differences_and_sums_to_1() {
        fn check<S: Spec<Arguments = softmax::Softmax>>() {
            let mut trial = Trial::<S, Softmax>::random().with_step(1e-2, 1e-3);
            trial.check_gradients();
            trial.check_inference();
            let (y, [size, inner]) = (trial.infer(), [4, 3]);
            for matrix in (0..y.len()).step_by(size * inner) {
                for column in matrix..matrix + inner {
                    let exps = |at: usize| f64::from(trial.x[0][at]).exp();
                    let sum: f64 = (0..size).map(|row| exps(column + row * inner)).sum();
                    for row in 0..size {
                        let at = column + row * inner;
                        assert!((f64::from(y[at]) - exps(at) / sum).abs() < 1e-6);
                    }
                }
            }
        }
        check::<Steps>();
        check::<Middle>();
        check_lengths::<Steps, ShortSteps, Softmax>(2, 0);
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
