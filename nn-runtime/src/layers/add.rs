//! [`Add`]: PyTorch's `a + b`, for two or more branches.

use crate::kernels::dispatch::dispatch;
use crate::{Memory, Pass, Spec, Station, Weights, WorkMemory};
use nn_shape::rules::add;

/// The sum of all branches, element by element: `[..], [..], .. -> [..]`.
pub struct Add;

// SAFETY: of size zero.
unsafe impl Weights for Add {}

impl<S: Spec<Arguments = add::Add>> Station<S> for Add {
    fn infer(&self, _n: usize, x: &[&[f32]], y: &mut [f32], _memory: WorkMemory<'_>) {
        sum(x, y);
    }

    fn forward(
        &self,
        _pass: &Pass,
        _phase: usize,
        x: &[&[f32]],
        y: &mut [f32],
        _memory: Memory<'_>,
    ) {
        sum(x, y);
    }

    fn backward(
        &self,
        _pass: &Pass,
        _phase: usize,
        _x: &[&[f32]],
        _y: &[f32],
        d_y: &mut [f32],
        d_x: &mut [Option<&mut [f32]>],
        _memory: Memory<'_>,
    ) {
        for d_x in d_x.iter_mut().flatten() {
            d_x.copy_from_slice(d_y);
        }
    }
}

dispatch! {
    fn sum(x: &[&[f32]], y: &mut [f32]) {
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

impl<S: Spec<Arguments = add::Add>> crate::Streaming<S> for Add {}

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
