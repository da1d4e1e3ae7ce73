//! [`Reduce`]: PyTorch's `x.mean(axis)`, `x.sum(axis)` and `x.max(axis).values`.

#[cfg(feature = "train")]
use crate::contract::{Backward, Forward, TrainNode};
use crate::contract::{Infer, Node, Spec};
use crate::kernels::dispatch::dispatch;
use crate::types::Weights;
use unrolled_shape::Shape;
use unrolled_shape::rules::reduce::{self, Mode};

/// The mean, sum or maximum over one axis: `[.., A, ..] -> [.., ..]`.
///
/// The gradient of a maximum goes to the first of equal elements. A NaN is the maximum.
#[derive(Clone, Debug, PartialEq)]
pub struct Reduce;

// SAFETY: a struct without fields contains nothing but `f32`s.
unsafe impl Weights for Reduce {}

impl<S: Spec<Arguments = reduce::Reduce>> Node<S> for Reduce {
    fn infer(&self, Infer { x, y, .. }: Infer<'_>) {
        forward(const { &Reduction::new(&S::ARGUMENTS, S::INPUT) }, x[0], y);
    }
}

#[cfg(feature = "train")]
impl<S: Spec<Arguments = reduce::Reduce>> TrainNode<S> for Reduce {
    fn forward_shard(&self, Forward { x, y, .. }: Forward<'_>) {
        forward(const { &Reduction::new(&S::ARGUMENTS, S::INPUT) }, x[0], y);
    }

    fn backward_shard(&self, Backward { x, d_y, d_x, .. }: Backward<'_, '_>) {
        if let Some(d_x) = &mut d_x[0] {
            backward(const { &Reduction::new(&S::ARGUMENTS, S::INPUT) }, x[0], d_y, d_x);
        }
    }
}

/// The sizes.
#[derive(Debug)]
struct Reduction {
    mode: Mode,
    /// The size of the axis.
    size: usize,
    /// The elements of each index of the axis: those of the axes after it.
    inner: usize,
}

impl Reduction {
    const fn new(arguments: &reduce::Reduce, input: Shape) -> Self {
        let reduce::Reduce { mode, axis } = *arguments;
        Self { mode, size: input.dim(axis), inner: input.span(axis + 1, input.rank()) }
    }

    /// The factor of a sum.
    fn factor(&self) -> f32 {
        if let Mode::Mean = self.mode { 1.0 / self.size as f32 } else { 1.0 }
    }
}

dispatch! {
    fn forward(g: &Reduction, x: &[f32], y: &mut [f32]) {
        let blocks = x.chunks_exact(g.size * g.inner).zip(y.chunks_exact_mut(g.inner));
        for (x, y) in blocks {
            y.copy_from_slice(&x[..g.inner]);
            for x in x[g.inner..].chunks_exact(g.inner) {
                for (y, &x) in y.iter_mut().zip(x) {
                    *y = match g.mode {
                        Mode::Max => if x > *y || x.is_nan() { x } else { *y },
                        Mode::Mean | Mode::Sum => *y + x,
                    };
                }
            }
            if let Mode::Mean = g.mode {
                y.iter_mut().for_each(|y| *y *= g.factor());
            }
        }
    }
}

#[cfg(feature = "train")]
dispatch! {
    fn backward(g: &Reduction, x: &[f32], d_y: &[f32], d_x: &mut [f32]) {
        let block = g.size * g.inner;
        let blocks = x.chunks_exact(block).zip(d_y.chunks_exact(g.inner));
        for ((x, d_y), d_x) in blocks.zip(d_x.chunks_exact_mut(block)) {
            if let Mode::Max = g.mode {
                d_x.fill(0.0);
                for (i, d_y) in d_y.iter().enumerate() {
                    d_x[largest(g, x, i)] = *d_y;
                }
            } else {
                let factor = g.factor();
                for d_x in d_x.chunks_exact_mut(g.inner) {
                    d_x.iter_mut().zip(d_y).for_each(|(d_x, d_y)| *d_x = factor * d_y);
                }
            }
        }
    }
}

/// The index of the first maximum among the elements `i` of all indices of the axis.
#[cfg(feature = "train")]
fn largest(g: &Reduction, x: &[f32], i: usize) -> usize {
    let indices = (0..g.size).map(|index| index * g.inner + i);
    let larger = |best: usize, at: usize| {
        let is_larger = x[at] > x[best] || (x[at].is_nan() && !x[best].is_nan());
        if is_larger { at } else { best }
    };
    indices.reduce(larger).unwrap_or(i)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::testing::{Trial, spec};

    spec!(Steps: reduce::Reduce { mode: Mode::Mean, axis: 0 }, [&[4, 3]] -> &[3]);
    spec!(Columns: reduce::Reduce { mode: Mode::Sum, axis: 1 }, [&[2, 4, 3]] -> &[2, 3]);
    spec!(Largest: reduce::Reduce { mode: Mode::Max, axis: 1 }, [&[2, 4, 3]] -> &[2, 3]);
    spec!(Channels: reduce::Reduce { mode: Mode::Max, axis: 1 }, [&[4, 3]] -> &[4]);

    /// The definition: `of` the elements of each output.
    fn check<S: Spec<Arguments = reduce::Reduce>>(of: fn(&[f32]) -> f32) {
        let mut trial = Trial::<S, Reduce>::random();
        // Far enough from each other that no step changes a maximum.
        for (i, x) in trial.x[0].iter_mut().enumerate() {
            *x = (i * 7 % 12) as f32 + 0.25 * *x;
        }
        trial.check_gradients();
        trial.check_inference();
        let (y, shape) = (trial.infer(), S::INPUT);
        let axis = S::ARGUMENTS.axis;
        let inner: usize = shape.dims()[axis + 1..].iter().product();
        for (out, y) in y.iter().enumerate() {
            let first = out / inner * shape.dim(axis) * inner + out % inner;
            let elements = (0..shape.dim(axis)).map(|index| trial.x[0][first + index * inner]);
            let expected = of(&elements.collect::<Vec<f32>>());
            assert!((y - expected).abs() < 1e-5, "{y} {expected}");
        }
    }

    #[test]
    fn agrees_with_the_definition_and_finite_differences() {
        check::<Steps>(|x| x.iter().sum::<f32>() / x.len() as f32);
        check::<Columns>(|x| x.iter().sum());
        check::<Largest>(|x| x.iter().copied().fold(f32::NEG_INFINITY, f32::max));
        check::<Channels>(|x| x.iter().copied().fold(f32::NEG_INFINITY, f32::max));
    }

    #[test]
    fn nan_is_the_maximum_and_the_first_maximum_has_the_gradient() {
        let mut trial = Trial::<Channels, Reduce>::random();
        trial.x[0][..6].copy_from_slice(&[1.0, f32::NAN, 2.0, 3.0, 4.0, 4.0]);
        let outcome = trial.train();
        assert!(outcome.y[0].is_nan());
        let [first, second] = [trial.d_y[0], trial.d_y[1]];
        assert_eq!(outcome.d_x[0][..6], [0.0, first, 0.0, 0.0, second, 0.0]);
    }
}
