//! [`DynNetwork`]: networks whose types are not known, behind a pointer.

use crate::contract::Network;
use crate::order::file_tensors;
use crate::step;
use crate::types::{Tensor, Values};

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
/// Its methods are those of the type `dyn DynNetwork`. Training needs the type: its code is made for one network.
// The methods of the trait have other names than those of networks, which would be ambiguous where the trait is imported.
pub trait DynNetwork<Input, Output>: Send + Sync {
    #[doc(hidden)]
    fn dyn_forward_into(&self, input: &Input, output: &mut Output);
    #[doc(hidden)]
    fn dyn_forward_batch(&self, inputs: &[Input], outputs: &mut [Output]);
    #[doc(hidden)]
    fn dyn_params(&self) -> &[f32];
    #[doc(hidden)]
    fn dyn_params_mut(&mut self) -> &mut [f32];
    #[doc(hidden)]
    fn dyn_tensors(&self) -> Vec<Tensor>;
    #[doc(hidden)]
    fn dyn_summary(&self) -> String;
}

impl<Input, Output: Values> dyn DynNetwork<Input, Output> + '_ {
    /// Inference on one sample.
    ///
    /// # Panics
    /// If the network refuses the input: see [`check_inputs`](crate::InferenceExt::check_inputs).
    #[must_use]
    pub fn forward(&self, input: &Input) -> Output {
        let mut output = Output::zeroed();
        self.dyn_forward_into(input, &mut output);
        output
    }

    /// See [`InferenceExt::forward_into`](crate::InferenceExt::forward_into).
    ///
    /// # Panics
    /// If the network refuses the input.
    pub fn forward_into(&self, input: &Input, output: &mut Output) {
        self.dyn_forward_into(input, output);
    }

    /// See [`InferenceExt::forward_batch`](crate::InferenceExt::forward_batch).
    ///
    /// # Panics
    /// As there.
    pub fn forward_batch(&self, inputs: &[Input], outputs: &mut [Output]) {
        self.dyn_forward_batch(inputs, outputs);
    }

    /// See [`InferenceExt::params`](crate::InferenceExt::params).
    #[must_use]
    pub fn params(&self) -> &[f32] {
        self.dyn_params()
    }

    /// See [`InferenceExt::params_mut`](crate::InferenceExt::params_mut).
    pub fn params_mut(&mut self) -> &mut [f32] {
        self.dyn_params_mut()
    }

    /// See [`InferenceExt::tensors`](crate::InferenceExt::tensors).
    #[must_use]
    pub fn tensors(&self) -> Vec<Tensor> {
        self.dyn_tensors()
    }

    /// See [`InferenceExt::summary`](crate::InferenceExt::summary).
    #[must_use]
    pub fn summary(&self) -> String {
        self.dyn_summary()
    }
}

impl<N: Network + Send + Sync> DynNetwork<N::Input, N::Output> for N {
    #[doc(hidden)]
    fn dyn_forward_into(&self, input: &N::Input, output: &mut N::Output) {
        step::forward_into(self, input, output);
    }

    #[doc(hidden)]
    fn dyn_forward_batch(&self, inputs: &[N::Input], outputs: &mut [N::Output]) {
        step::infer_batch(self, inputs, outputs);
    }

    #[doc(hidden)]
    fn dyn_params(&self) -> &[f32] {
        self.as_floats()
    }

    #[doc(hidden)]
    fn dyn_params_mut(&mut self) -> &mut [f32] {
        self.as_floats_mut()
    }

    #[doc(hidden)]
    fn dyn_tensors(&self) -> Vec<Tensor> {
        file_tensors::<N>().tensors
    }

    #[doc(hidden)]
    fn dyn_summary(&self) -> String {
        super::summary::of::<N>()
    }
}
