//! [`InferenceExt`]: inference with any network.

#[cfg(feature = "std")]
use super::summary;
use crate::contract::{Infer, Network, Node, Root};
use crate::memory::InferCtx;
use crate::types::{Inputs, MAX_INPUTS, Values};
#[cfg(feature = "std")]
use crate::{
    contract::State,
    order::file_tensors,
    step,
    step::BatchError,
    types::{Tensor, zeros_on_line},
};

/// Inference with any [`Network`]. For single samples, a struct that `network!` defines also has the method `forward`.
pub trait InferenceExt: Network {
    /// Elements of memory that [`forward_in`](Self::forward_in) needs, and more than enough for `step_in`.
    const WORKSPACE_LEN: usize = {
        let whole = <Self as Node<Root>>::WORKSPACE + <Self as Node<Root>>::SCRATCH;
        if whole < Self::STEP_WORKSPACE_LEN { Self::STEP_WORKSPACE_LEN } else { whole }
    };

    /// Elements of memory that the method `step_in` of networks that run step by step needs.
    const STEP_WORKSPACE_LEN: usize =
        <Self as Node<Root>>::STEP_WORKSPACE + <Self as Node<Root>>::SCRATCH;

    /// Elements that the layers remember between the steps of a sequence. They begin as zeros.
    const STATE_LEN: usize = <Self as Node<Root>>::STATE;

    /// Inference on one sample in the caller's memory: without allocation, locks or system calls. Sequences have the full
    /// length of their shape. The content of `workspace` before the call is ignored.
    ///
    /// # Panics
    /// If `workspace` has fewer than [`WORKSPACE_LEN`](Self::WORKSPACE_LEN) elements, or the network refuses the input.
    fn forward_in(&self, workspace: &mut [f32], input: &Self::Input) -> Self::Output {
        infer_in::<Self>(workspace, input, |call| Node::<Root>::infer(self, call))
    }

    /// Inference on one sample, with the output written to `output`: for outputs that are too large for the stack, such as
    /// a box or an element of a vector. Has the bits of `forward`.
    ///
    /// ```
    /// # use unrolled_runtime::{InferenceExt, Network, Values};
    /// # fn example<N: Network<Input = [f32; 4], Output = [[[f32; 4]; 512]; 512]>>(net: Box<N>) {
    /// let mut output = N::Output::zeroed_box();
    /// net.forward_into(&[0.0; 4], &mut output);
    /// # }
    /// ```
    ///
    /// # Panics
    /// If the network refuses the input: see [`check_inputs`](Self::check_inputs).
    #[cfg(feature = "std")]
    fn forward_into(&self, input: &Self::Input, output: &mut Self::Output) {
        const { Self::CHECKS }
        step::forward_into(self, input, output);
    }

    /// A copy of the network, made on the heap and never on the stack.
    #[doc(alias("deepcopy"))]
    #[cfg(feature = "std")]
    #[must_use]
    fn clone_boxed(&self) -> Box<Self> {
        let mut copy = zeros_on_line::<Self>();
        copy.as_floats_mut().copy_from_slice(self.as_floats());
        copy
    }

    /// Inference on the next chunk of a longer sequence, which begins with `state` and leaves its last state there.
    #[cfg(feature = "std")]
    #[must_use]
    fn forward_from(&self, state: &mut State<Self>, input: &Self::Input) -> Self::Output {
        step::forward_from(self, state, input)
    }

    /// Checks that the network accepts these inputs: the tokens of an `Embedding` must be in its vocabulary. Inference never
    /// panics on checked inputs.
    ///
    /// # Errors
    /// For the first input that is refused, with its index.
    #[cfg(feature = "std")]
    fn check_inputs(inputs: &[Self::Input]) -> Result<(), BatchError> {
        step::check_inputs::<Self>(inputs)
    }

    /// Inference on all samples, on all threads.
    ///
    /// # Panics
    /// If `inputs` and `outputs` differ in length, or the network refuses an input: see
    /// [`check_inputs`](Self::check_inputs).
    #[doc(alias("predict", "predict_batch", "predict_on_batch"))]
    #[cfg(feature = "std")]
    fn forward_batch(&self, inputs: &[Self::Input], outputs: &mut [Self::Output]) {
        step::infer_batch(self, inputs, outputs);
    }

    /// All weights and running statistics as one flat slice, layer by layer.
    #[doc(alias("parameters", "get_weights"))]
    #[must_use]
    fn params(&self) -> &[f32] {
        self.as_floats()
    }

    /// All weights and running statistics as one flat mutable slice: `copy.params_mut().copy_from_slice(net.params())`
    /// copies a network.
    #[doc(alias("set_weights"))]
    fn params_mut(&mut self) -> &mut [f32] {
        self.as_floats_mut()
    }

    /// A table of its layers with kind, output shape, trained parameters and multiply-adds of each, and the memory that the
    /// network needs.
    #[cfg(feature = "std")]
    #[must_use]
    fn summary() -> String {
        summary::of::<Self>()
    }

    /// The names, shapes and layouts of all weights and running statistics in files, layer by layer: those of a PyTorch
    /// `state_dict`.
    #[doc(alias("state_dict", "named_parameters"))]
    #[cfg(feature = "std")]
    #[must_use]
    fn tensors() -> Vec<Tensor> {
        file_tensors::<Self>().tensors
    }
}

impl<N: Network> InferenceExt for N {}

/// Calls `infer` with one sample and with memory in `workspace`, and returns the output.
///
/// # Panics
/// If `workspace` has fewer than [`WORKSPACE_LEN`](InferenceExt::WORKSPACE_LEN) elements.
pub(super) fn infer_in<N: Network>(
    workspace: &mut [f32],
    input: &N::Input,
    infer: impl FnOnce(Infer<'_>),
) -> N::Output {
    const { N::CHECKS }
    let mut inputs: [&[f32]; MAX_INPUTS] = [&[]; MAX_INPUTS];
    let x = &mut inputs[..N::Input::LENS.len()];
    for (i, x) in x.iter_mut().enumerate() {
        *x = input.input(i);
    }
    let (workspace, scratch) =
        workspace[..N::WORKSPACE_LEN].split_at_mut(<N as Node<Root>>::WORKSPACE);
    let scratch = &mut scratch[..<N as Node<Root>>::SCRATCH];
    let mut y = N::Output::zeroed();
    let ctx = InferCtx::new(workspace, scratch);
    infer(Infer { n: 1, x, y: y.as_floats_mut(), ctx });
    y
}
