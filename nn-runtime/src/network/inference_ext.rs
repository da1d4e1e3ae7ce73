//! [`InferenceExt`]: inference with any network.

#[cfg(feature = "std")]
use super::summary;
use crate::contract::{Infer, Network, Node, Root};
use crate::memory::InferCtx;
use crate::types::{Inputs, MAX_INPUTS, Values};
#[cfg(feature = "std")]
use crate::{contract::State, step, step::BatchError};

/// Inference with any [`Network`].
pub trait InferenceExt: Network {
    /// Elements of memory that [`forward_in`](Self::forward_in) needs.
    const WORKSPACE_LEN: usize = <Self as Node<Root>>::WORKSPACE + <Self as Node<Root>>::SCRATCH;

    /// Inference on one sample in the caller's memory: without allocation, locks or system calls. Sequences are taken
    /// at the full length of their shape. The content of `workspace` before the call does not matter.
    ///
    /// # Panics
    /// When `workspace` has fewer than [`WORKSPACE_LEN`](Self::WORKSPACE_LEN) elements, and when the network refuses
    /// the input.
    fn forward_in(&self, workspace: &mut [f32], input: &Self::Input) -> Self::Output {
        const { Self::CHECKS }
        let mut inputs: [&[f32]; MAX_INPUTS] = [&[]; MAX_INPUTS];
        let x = &mut inputs[..Self::Input::LENS.len()];
        for (i, x) in x.iter_mut().enumerate() {
            *x = input.input(i);
        }
        let (workspace, scratch) =
            workspace[..Self::WORKSPACE_LEN].split_at_mut(<Self as Node<Root>>::WORKSPACE);
        let mut y = Self::Output::zeroed();
        let ctx = InferCtx::new(workspace, scratch);
        Node::<Root>::infer(self, Infer { n: 1, x, y: y.as_floats_mut(), ctx });
        y
    }

    /// Inference on one sample that goes on where `state` left off: the next stretch of a longer sequence.
    #[cfg(feature = "std")]
    #[must_use]
    fn forward_from(&self, state: &mut State<Self>, input: &Self::Input) -> Self::Output {
        step::forward_from(self, state, input)
    }

    /// Whether the network takes these inputs: the numbers of tokens that an `Embedding` reads must be
    /// in its vocabulary. With inputs that were checked, inference never panics.
    ///
    /// # Errors
    /// For the first input that it does not take, with its place.
    #[cfg(feature = "std")]
    fn check_inputs(inputs: &[Self::Input]) -> Result<(), BatchError> {
        step::check_inputs::<Self>(inputs)
    }

    /// Inference on all samples, on all threads.
    ///
    /// # Panics
    /// When `inputs` and `outputs` differ in length, and when the network does not take an input: see
    /// [`check_inputs`](Self::check_inputs).
    #[cfg(feature = "std")]
    fn forward_batch(&self, inputs: &[Self::Input], outputs: &mut [Self::Output]) {
        step::infer_batch(self, inputs, outputs);
    }

    /// All numbers as one flat slice, layer by layer.
    #[must_use]
    fn params(&self) -> &[f32] {
        self.as_floats()
    }

    /// All numbers as one flat slice, to be written.
    fn params_mut(&mut self) -> &mut [f32] {
        self.as_floats_mut()
    }

    /// The table of its layers: kind, output, trained parameters and multiply-adds of each, and how
    /// much memory it takes.
    #[cfg(feature = "std")]
    #[must_use]
    fn summary() -> String {
        summary::of::<Self>()
    }
}

impl<N: Network> InferenceExt for N {}
