//! [`DynNetwork`]: networks whose types are not known, behind a pointer.

use crate::contract::{ForwardOne, Network};
use crate::order::file_tensors;
use crate::step;
use crate::types::Tensor;

/// A network of any type with these inputs and outputs: one of several that a program chooses at run time.
///
/// ```
/// use unrolled_runtime::DynNetwork;
///
/// /// The mean of what all networks answer.
/// fn mean(nets: &[Box<dyn DynNetwork<[f32; 4], f32>>], x: &[f32; 4]) -> f32 {
///     nets.iter().map(|net| net.forward(x)).sum::<f32>() / nets.len() as f32
/// }
/// ```
///
/// Training needs the type: its code is made for one network.
pub trait DynNetwork<Input, Output>: Send + Sync {
    /// Inference on one sample.
    ///
    /// # Panics
    /// If the network refuses the input: see [`check_inputs`](crate::InferenceExt::check_inputs).
    fn forward(&self, input: &Input) -> Output;

    /// See [`InferenceExt::forward_into`](crate::InferenceExt::forward_into).
    fn forward_into(&self, input: &Input, output: &mut Output);

    /// See [`InferenceExt::forward_batch`](crate::InferenceExt::forward_batch).
    fn forward_batch(&self, inputs: &[Input], outputs: &mut [Output]);

    /// See [`InferenceExt::params`](crate::InferenceExt::params).
    fn params(&self) -> &[f32];

    /// See [`InferenceExt::params_mut`](crate::InferenceExt::params_mut).
    fn params_mut(&mut self) -> &mut [f32];

    /// See [`InferenceExt::tensors`](crate::InferenceExt::tensors).
    fn tensors(&self) -> Vec<Tensor>;

    /// See [`InferenceExt::summary`](crate::InferenceExt::summary).
    fn summary(&self) -> String;
}

impl<N: Network + Send + Sync> DynNetwork<N::Input, N::Output> for N {
    fn forward(&self, input: &N::Input) -> N::Output {
        ForwardOne::forward(self, input)
    }

    fn forward_into(&self, input: &N::Input, output: &mut N::Output) {
        step::forward_into(self, input, output);
    }

    fn forward_batch(&self, inputs: &[N::Input], outputs: &mut [N::Output]) {
        step::infer_batch(self, inputs, outputs);
    }

    fn params(&self) -> &[f32] {
        self.as_floats()
    }

    fn params_mut(&mut self) -> &mut [f32] {
        self.as_floats_mut()
    }

    fn tensors(&self) -> Vec<Tensor> {
        file_tensors::<N>().tensors
    }

    fn summary(&self) -> String {
        super::summary::of::<N>()
    }
}
