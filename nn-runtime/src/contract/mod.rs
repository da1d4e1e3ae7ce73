//! The contract between expanded code, layers and the code that runs them.

#[cfg(feature = "std")]
mod graph;
mod layer;
mod layer_ctx;
mod network;
mod node;
#[cfg(feature = "train")]
mod observer;
mod shaped;
mod slot;
mod spec;
#[cfg(feature = "std")]
mod state;
mod streaming_layer;
#[cfg(feature = "train")]
mod train_node;
#[cfg(feature = "train")]
mod train_slot;

#[cfg(feature = "std")]
pub use graph::{Graph, GraphLayer, GraphNode, LayerWeights};
pub use layer::Layer;
pub use layer_ctx::LayerCtx;
#[cfg(feature = "std")]
pub(crate) use network::ForwardOne;
pub use network::Network;
pub(crate) use node::widened_layer;
pub use node::{
    BoundsNode, FusedNode, InPlaceNode, Infer, InputError, Is, Node, NormalizationNode, Streaming,
    StreamingIn,
};
#[cfg(feature = "train")]
pub use observer::Observer;
#[cfg(feature = "train")]
pub use shaped::TrainEmbeds;
pub use shaped::{Embeds, LayerInfo, Shaped, Signature, check_inputs};
pub use slot::{InPlaceSlot, Slot};
pub use spec::{OF_FIRST_INPUT, Root, Spec, StepsOfInputs};
#[cfg(feature = "std")]
pub use state::State;
pub use streaming_layer::{StepInput, StepOutput, StreamingLayer};
#[cfg(feature = "train")]
pub(crate) use train_node::GRADIENT_PART;
#[cfg(feature = "train")]
pub use train_node::{Backward, Forward, Pass, Phases, TiedNode, TrainInPlaceNode, TrainNode};
#[cfg(feature = "train")]
pub use train_slot::TrainSlot;
