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
pub trait Network: Node<Root> + Shaped + Trained {
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

/// A network's training code, with the feature `train`; without it, nothing.
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
