//! Weights in files: the names and layouts of a network's tensors, the order that PyTorch has their features in, and
//! a reader of safetensors files whose errors name every difference.
//!
//! Two callers use the same code: the runtime, which loads and saves weights, and the `network!` macro, which reads the
//! file of `#[weights("..")]` while it expands. The rules are described in docs/weights.md.

mod feature_order;
pub mod file;
mod order;
mod tensor;

pub use feature_order::{FeatureOrder, LayerOrder};
pub use order::{FileTensors, Graph, GraphNode, LayerTensors, NodeWeights, OrderConflict};
pub use tensor::{Axis, Tensor, layer_tensors};
pub use unrolled_shape::Element;
