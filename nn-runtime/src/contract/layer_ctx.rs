//! [`LayerCtx`]: what a hand-written layer knows of a sample besides its values.

use super::spec::Spec;
use crate::system::RngKey;
use crate::types::{Inputs, Lengths, MAX_INPUTS};

/// What surrounds a sample in a hand-written layer: the argument of
/// [`Layer::forward_with`](crate::Layer::forward_with) and [`Layer::backward_with`](crate::Layer::backward_with).
#[derive(Clone, Copy, Debug)]
pub struct LayerCtx {
    /// Whether the layer computes as in training, and not as at inference or for
    /// [`input_gradients`](crate::TrainingExt::input_gradients).
    pub training: bool,
    /// A random key of this layer, step and sample, the same in the forward and the backward pass: `key.uniform(i)` is a random
    /// number in `[0, 1)` for each `i`. Always the same one outside of training.
    pub key: RngKey,
    /// The valid steps of each input.
    pub(super) valid: [usize; MAX_INPUTS],
}

impl LayerCtx {
    /// Inference on a sample whose sequences have the length of their shape.
    pub const INFERENCE: Self =
        Self { training: false, key: RngKey::new(0), valid: [usize::MAX; MAX_INPUTS] };

    /// Sample `sample` of a shard, in node `S` with inputs `I`.
    pub(super) fn of<S: Spec, I: Inputs>(self, lengths: &Lengths<'_>, sample: usize) -> Self {
        let mut valid = [usize::MAX; MAX_INPUTS];
        for (input, (valid, shape)) in valid.iter_mut().zip(I::SHAPES).enumerate() {
            // The shape of a number has no axis.
            if shape.rank() > 0 {
                *valid = lengths.of::<S>(input).valid(sample, shape.dim(0));
            }
        }
        Self { valid, ..self }
    }

    /// The valid steps of input `input`, at most `all`, the steps of its shape. Elements of later steps are arbitrary: they
    /// must not be read. All steps are valid where the network's input is not declared with `..`, or its first axis does not
    /// count the input's steps.
    #[must_use]
    pub fn valid_steps(&self, input: usize, all: usize) -> usize {
        self.valid[input].min(all)
    }
}
