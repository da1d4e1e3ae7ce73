//! Layers, kernels, losses, optimisers, training, data and files.
//!
//! Programs use it through the crate `unrolled`. The modules depend on each other in one direction:
//! `system`, `types`, `ranks`, `memory`, `kernels`, `contract`, `layers`, `order`, and then `loss`, `optim`, `step`, `data`,
//! `io`, `distributed`, `train` and `network`.
//!
//! Without the feature `std` nothing needs an operating system or an allocator; without `train` there is no training
//! code.
#![cfg_attr(not(feature = "std"), no_std)]
#![cfg_attr(
    not(feature = "train"),
    allow(
        dead_code,
        unused_imports,
        reason = "kernels that only training calls are not compiled into programs"
    )
)]

mod contract;
#[cfg(feature = "std")]
pub mod data;
#[cfg(feature = "train")]
pub mod distributed;
#[cfg(feature = "std")]
mod hyper;
#[cfg(feature = "train")]
pub mod init;
#[cfg(feature = "files")]
pub mod io;
#[doc(hidden)] // for benchmarks: sizes are checked by the layers that call kernels
pub mod kernels;
pub mod layers;
#[cfg(feature = "train")]
pub mod loss;
mod memory;
mod network;
#[cfg(feature = "train")]
pub mod optim;
#[cfg(feature = "std")]
#[cfg_attr(
    not(feature = "files"),
    allow(dead_code, unreachable_pub, unused_imports, reason = "only files report conflicts")
)]
mod order;
#[cfg(feature = "train")]
mod ranks;
#[cfg(feature = "std")]
mod step;
mod system;
#[cfg(feature = "train")]
pub mod train;
mod types;

#[cfg(feature = "train")]
pub use contract::{
    Backward, Forward, Observer, Pass, Phases, TiedNode, TrainEmbeds, TrainInPlaceNode, TrainNode,
    TrainSlot,
};
pub use contract::{
    BoundsNode, Embeds, FusedNode, InPlaceNode, InPlaceSlot, Infer, InputError, Is, Layer,
    LayerCtx, LayerInfo, Network, Node, NormalizationNode, OF_FIRST_INPUT, Root, Shaped, Signature,
    Slot, Spec, StepInput, StepOutput, StepsOfInputs, Streaming, StreamingIn, StreamingLayer,
    check_inputs,
};
#[cfg(feature = "std")]
pub use contract::{Graph, GraphLayer, GraphNode, LayerWeights, State};
pub use kernels::{AtRunTime, ConvBands, ConvLayer, Epilogue, Instructions, Isa, add_to};
pub use memory::{Buffer, InferCtx, Layout, StateMut, TiedWeight, WeightLayout, WeightOwner, take};
#[cfg(feature = "train")]
pub use memory::{Frozen, FullShards, Shards, TrainCtx, TrainLayout};
#[cfg(feature = "nalgebra")]
#[doc(no_inline)]
pub use nalgebra;
#[cfg(feature = "files")]
pub use network::FilesExt;
#[cfg(feature = "std")]
pub use network::c_forward;
#[cfg(feature = "train")]
pub use network::{
    Activation, Activations, GradientCheck, TrainingExt, UnknownPath, check_gradients,
};
pub use network::{CHeader, Half, InferenceExt, c_forward_in, largest, step_in, step_in_as};
#[cfg(feature = "std")]
pub use network::{DynNetwork, StreamingCheck, check_streaming};
#[cfg(feature = "train")]
#[doc(no_inline)]
pub use rand;
#[cfg(feature = "std")]
pub use step::{
    BatchError, infer_batch, infer_inlined, infer_one, infer_one_from, infer_one_from_into,
    infer_one_into, step_inlined, step_one, step_one_as,
};
#[cfg(feature = "train")]
pub use step::{TrainPass, loss_and_all_gradients, loss_and_gradients, loss_and_gradients_from};
pub use system::RngKey;
#[cfg(feature = "std")]
pub use system::parallel;
#[doc(no_inline)]
pub use typenum;
#[cfg(feature = "nalgebra")]
pub use types::AsMatrix;
#[cfg(feature = "std")]
pub use types::{Axis, Element, FeatureOrder, LayerOrder, Tensor};
pub use types::{
    Field, Halves, InSteps, Input, Inputs, InputsInSteps, Lengths, MAX_OUTPUTS, OutputInfo,
    Outputs, Parameters, PerStep, Sequence, SequenceError, StaticWeights, Steps, Values,
    WeightSlice, Weights, len_of_fields, len_of_weights, sizes, steps_through,
};
