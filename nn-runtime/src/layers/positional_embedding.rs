//! [`PositionalEmbedding`]: PyTorch's `nn.Embedding` of the positions, added to the input.

#[cfg(feature = "train")]
use crate::contract::{Backward, Forward, TrainNode};
use crate::contract::{Infer, Node, Spec, Streaming};
#[cfg(feature = "train")]
use crate::init::normal;
use crate::kernels::Instructions;
use crate::kernels::add_to;
use crate::memory::{InferCtx, count_steps};
#[cfg(feature = "train")]
use crate::system::RngKey;
#[cfg(feature = "std")]
use crate::types::{LayerOrder, Tensor, layer_tensors};
use crate::types::{WeightSlice, Weights};
use unrolled_shape::rules::positional_embedding;

/// Adds a trained vector to each step: `[T, C] -> [T, C]`.
///
/// Step by step, its state is the number of steps so far. Steps after the first `T` all get the last vector: reset the
/// state before. Training ignores the state: each chunk starts at position 0.
#[derive(Clone, Debug, PartialEq)]
#[repr(C)]
pub struct PositionalEmbedding<const T: usize, const C: usize> {
    /// One row for each position.
    pub weight: [[f32; C]; T],
}

// SAFETY: `repr(C)`, an array of `f32`.
unsafe impl<const T: usize, const C: usize> Weights for PositionalEmbedding<T, C> {}

impl<S, const T: usize, const C: usize> Node<S> for PositionalEmbedding<T, C>
where
    S: Spec<Arguments = positional_embedding::PositionalEmbedding>,
{
    /// The number of steps so far.
    const STATE: usize = 1;

    #[cfg(feature = "std")]
    fn file_tensors(order: &LayerOrder) -> Vec<Tensor> {
        layer_tensors(order, &|sink| S::ARGUMENTS.tensors(S::INPUTS, sink))
    }

    fn infer(&self, Infer { x, y, ctx, .. }: Infer<'_>) {
        let InferCtx { lengths, mut state, .. } = ctx;
        let steps = lengths.of::<S>(0);
        y.copy_from_slice(x[0]);
        for (sample, y) in y.chunks_exact_mut(S::OUT).enumerate() {
            let first = if state.is_empty() {
                0
            } else {
                count_steps(&mut state.sample(sample)[0], steps.valid(sample, T))
            };
            self.add(first, y);
        }
    }
}

impl<S, const T: usize, const C: usize> Streaming<S> for PositionalEmbedding<T, C>
where
    S: Spec<Arguments = positional_embedding::PositionalEmbedding>,
{
    fn step<I: Instructions>(&self, _isa: I, Infer { x, y, mut ctx, .. }: Infer<'_>) {
        y.copy_from_slice(x[0]);
        self.add(count_steps(&mut ctx.state.sample(0)[0], 1), y);
    }
}

#[cfg(feature = "train")]
impl<S, const T: usize, const C: usize> TrainNode<S> for PositionalEmbedding<T, C>
where
    S: Spec<Arguments = positional_embedding::PositionalEmbedding>,
{
    /// The gradient of the weights: the sum of the output's gradient over the samples.
    const SHARD_SUMS: usize = Self::LEN;

    /// As in PyTorch: normal with mean 0 and standard deviation 1, or 0.02 as in vision transformers.
    fn initialise(&mut self, key: RngKey) {
        normal(self.weight.as_floats_mut(), key.fold_in(RngKey::hash("weight")));
        if S::ARGUMENTS.parameter {
            self.weight.as_floats_mut().iter_mut().for_each(|weight| *weight *= 0.02);
        }
    }

    fn forward_shard(&self, Forward { x, y, .. }: Forward<'_>) {
        y.copy_from_slice(x[0]);
        y.chunks_exact_mut(S::OUT).for_each(|y| add_to(y, self.weight.as_floats()));
    }

    fn backward_shard(&self, Backward { pass, d_y, d_x, ctx, .. }: Backward<'_, '_>) {
        if pass.trains_weights() {
            ctx.shard_sums.fill(0.0);
            d_y.chunks_exact(S::OUT).for_each(|d_y| add_to(ctx.shard_sums, d_y));
        }
        if let Some(d_x) = &mut d_x[0] {
            d_x.copy_from_slice(d_y);
        }
    }
}

impl<const T: usize, const C: usize> PositionalEmbedding<T, C> {
    /// Adds the vectors of the positions from `first` on to consecutive steps.
    fn add(&self, first: usize, y: &mut [f32]) {
        for (y, step) in y.as_chunks_mut::<C>().0.iter_mut().zip(first..) {
            add_to(y, &self.weight[step.min(T - 1)]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::testing::{Trial, spec};

    spec!(Text: positional_embedding::PositionalEmbedding { parameter: false }, [&[4, 3]] -> &[4, 3]);

    #[test]
    fn gradients_agree_with_finite_differences() {
        Trial::<Text, PositionalEmbedding<4, 3>>::random().check_gradients();
    }

    #[test]
    fn adds_the_row_of_each_step() {
        let mut trial = Trial::<Text, PositionalEmbedding<4, 3>>::random();
        trial.check_inference();
        trial.x[0].fill(1.0);
        trial.node.weight = std::array::from_fn(|t| [t as f32; 3]);
        for y in trial.infer().chunks_exact(12) {
            assert_eq!(y, [1.0, 1.0, 1.0, 2.0, 2.0, 2.0, 3.0, 3.0, 3.0, 4.0, 4.0, 4.0]);
        }
    }
}
