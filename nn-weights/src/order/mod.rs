//! The tensors of a network in files, and the order that PyTorch has their features in. The rules are described in
//! docs/weights.md.

mod channels;
mod features;
mod graph;
mod tensors;

pub use features::OrderConflict;
pub use graph::{Graph, GraphNode, LayerTensors, NodeWeights};
pub use tensors::FileTensors;
