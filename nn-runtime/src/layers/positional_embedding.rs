//! [`PositionalEmbedding`]: PyTorch's `nn.Embedding` of the steps' numbers, added to the input.

use crate::init::normal;
use crate::{Axis, Memory, Pass, Spec, Station, Streams, Tensor, Weights, WorkMemory, add_to};
use nn_shape::rules::positional_embedding;

/// Adds a trained vector of its own to each step: `[T, C] -> [T, C]`.
#[derive(Clone, Debug, PartialEq)]
#[repr(C)]
pub struct PositionalEmbedding<const T: usize, const C: usize> {
    /// One row for each step.
    pub weight: [[f32; C]; T],
}

// SAFETY: `repr(C)`, an array of `f32`.
unsafe impl<const T: usize, const C: usize> Weights for PositionalEmbedding<T, C> {}

impl<S, const T: usize, const C: usize> Station<S> for PositionalEmbedding<T, C>
where
    S: Spec<Arguments = positional_embedding::PositionalEmbedding>,
{
    /// The sum of the output's gradient over the samples.
    const PARTIAL: usize = Self::LEN;

    /// As `nn.Embedding`: normal with mean 0 and deviation 1.
    fn initialise(&mut self, streams: Streams) {
        normal(self.weight.as_floats_mut(), streams.child(Streams::number("weight")));
    }

    fn tensors() -> Vec<Tensor> {
        vec![Tensor::new("weight", 0, vec![Axis::plain(T, C), Axis::plain(C, 1)])]
    }

    fn infer(&self, _n: usize, x: &[&[f32]], y: &mut [f32], _memory: WorkMemory<'_>) {
        y.copy_from_slice(x[0]);
        y.chunks_exact_mut(S::OUT).for_each(|y| add_to(y, self.weight.as_floats()));
    }

    fn forward(&self, _: &Pass, _phase: usize, x: &[&[f32]], y: &mut [f32], _: Memory<'_>) {
        y.copy_from_slice(x[0]);
        y.chunks_exact_mut(S::OUT).for_each(|y| add_to(y, self.weight.as_floats()));
    }

    fn backward(
        &self,
        _pass: &Pass,
        _phase: usize,
        _x: &[&[f32]],
        _y: &[f32],
        d_y: &mut [f32],
        d_x: &mut [Option<&mut [f32]>],
        memory: Memory<'_>,
    ) {
        memory.partial.fill(0.0);
        d_y.chunks_exact(S::OUT).for_each(|d_y| add_to(memory.partial, d_y));
        if let Some(d_x) = &mut d_x[0] {
            d_x.copy_from_slice(d_y);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::testing::{Trial, spec};

    spec!(Text: positional_embedding::PositionalEmbedding {}, [&[4, 3]] -> &[4, 3]);

    #[test]
    fn gradients_agree_with_finite_differences() {
        Trial::<Text, PositionalEmbedding<4, 3>>::random().check_gradients();
    }

    #[test]
    fn adds_the_step_s_row_to_each_sample() {
        let mut trial = Trial::<Text, PositionalEmbedding<4, 3>>::random();
        trial.check_inference();
        trial.x[0].fill(1.0);
        trial.station.weight = std::array::from_fn(|t| [t as f32; 3]);
        for y in trial.infer().chunks_exact(12) {
            assert_eq!(y, [1.0, 1.0, 1.0, 2.0, 2.0, 2.0, 3.0, 3.0, 3.0, 4.0, 4.0, 4.0]);
        }
    }
}
