//! [`Graph`]: the layers of a network as one list.

use crate::feature_order::LayerOrder;
use crate::tensor::Tensor;
use std::fmt;
use unrolled_shape::Shape;
use unrolled_shape::registry::{Channels, Features};

/// All layers of a network, those of networks in it among them: the order of a value's features depends on what
/// surrounds a network that is a layer of another one.
#[derive(Debug, Default)]
pub struct Graph<'a> {
    /// The shape of each value.
    pub values: Vec<Shape>,
    /// In the order in which they run.
    pub nodes: Vec<GraphNode<'a>>,
}

/// A layer.
#[derive(Debug)]
pub struct GraphNode<'a> {
    /// Its path within the outermost network.
    pub name: String,
    /// The values that it reads.
    pub inputs: Vec<usize>,
    /// The value that it writes.
    pub output: usize,
    /// What it does with the order of features.
    pub features: Features,
    /// Where PyTorch has the channels of its output.
    pub channels: Channels,
    /// The weights that it uses: of another layer, and its own.
    pub weights: Vec<NodeWeights<'a>>,
    /// The index of the earlier layer that it applies again, with its weights.
    pub first: Option<usize>,
}

/// The tensors of a layer whose features have given orders, offsets counted from the layer's first element.
pub type LayerTensors<'a> = Box<dyn Fn(&LayerOrder) -> Vec<Tensor> + 'a>;

/// Weights of a layer in files.
pub struct NodeWeights<'a> {
    /// Its tensors.
    pub tensors: LayerTensors<'a>,
    /// Their offset among the weights of the outermost network.
    pub offset: usize,
    /// How many of them are meant: those of another layer are its weight, without its bias.
    pub len: usize,
    /// Whether they are those of another layer, which files contain under both names.
    pub shared: bool,
}

impl fmt::Debug for NodeWeights<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { offset, len, shared, .. } = self;
        f.debug_struct("NodeWeights")
            .field("offset", offset)
            .field("len", len)
            .field("shared", shared)
            .finish_non_exhaustive()
    }
}

impl Graph<'_> {
    /// Adds a value of this shape, and returns its index.
    pub fn value(&mut self, shape: Shape) -> usize {
        self.values.push(shape);
        self.values.len() - 1
    }
}
