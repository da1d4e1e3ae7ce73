//! [`Network`]: what every expanded network is.

use super::node::Node;
use super::shaped::Shaped;
use super::spec::Root;
#[cfg(feature = "train")]
use super::train_node::TrainNode;
use crate::types::{Inputs, Values};

/// A network: a struct that `network!` defines, or a single hand-written layer.
///
/// This trait has types and constants only. A struct that `network!` defines has the methods `forward` and, if its
/// layers can run step by step, `step`. The others are in extension traits, which the prelude imports:
/// [`InferenceExt`](crate::InferenceExt), [`TrainingExt`](crate::TrainingExt) with the feature `train`, and
/// [`FilesExt`](crate::FilesExt) with the feature `files`.
///
/// Functions over any network need no other bound. With the feature `std` they can call `forward`, which takes a reference
/// to the [`Input`](Self::Input):
///
/// ```
/// # use unrolled_runtime::Network;
/// fn answers<N: Network>(net: &N, inputs: &[N::Input]) -> Vec<N::Output> {
///     inputs.iter().map(|x| net.forward(x)).collect()
/// }
/// ```
pub trait Network:
    Node<Root> + Shaped + Trained + ForwardOne<<Self as Network>::Input, <Self as Network>::Output>
{
    /// One sample: an array, or a tuple of arrays for several inputs.
    type Input: Inputs;
    /// The output for one sample: an array, or a struct of one array per output.
    type Output: Values;

    /// Fails to compile where shapes that depend on const generics do not fit.
    #[doc(hidden)]
    const CHECKS: () = ();

    /// Bytes of all its weights.
    const PARAM_BYTES: usize = size_of::<Self>();
    /// Bytes of memory that inference on one sample uses besides the weights.
    const WORKSPACE_BYTES: usize =
        (<Self as Node<Root>>::WORKSPACE + <Self as Node<Root>>::SCRATCH) * size_of::<f32>();
}

/// The method `forward` in generic code, whose only bound is `N: Network`.
///
/// A trait of its own, which the prelude does not import: a hand-written layer has a method `forward` of
/// [`Layer`](crate::Layer), and both would be found. The struct of a `network!` block has a method of the same name and
/// meaning, which takes a reference to each of several inputs.
#[cfg(feature = "std")]
#[doc(hidden)]
pub trait ForwardOne<Input, Output> {
    /// Inference on one sample.
    ///
    /// # Panics
    /// If the network refuses the input: see [`check_inputs`](crate::InferenceExt::check_inputs).
    fn forward(&self, input: &Input) -> Output;
}

/// Without an allocator there is [`InferenceExt::forward_in`](crate::InferenceExt::forward_in).
#[cfg(not(feature = "std"))]
#[doc(hidden)]
pub trait ForwardOne<Input, Output> {}
#[cfg(not(feature = "std"))]
impl<N: Network> ForwardOne<N::Input, N::Output> for N {}

/// A network's training code, with the feature `train`; without it, nothing. A supertrait of its own, since a bound cannot
/// have a `cfg`.
#[cfg(feature = "train")]
#[doc(hidden)]
pub trait Trained: TrainNode<Root> {}
#[cfg(feature = "train")]
impl<T: TrainNode<Root>> Trained for T {}

/// A network's training code, with the feature `train`; without it, nothing.
#[cfg(not(feature = "train"))]
#[doc(hidden)]
pub trait Trained {}
#[cfg(not(feature = "train"))]
impl<T: Node<Root>> Trained for T {}
