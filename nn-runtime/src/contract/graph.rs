//! [`Graph`]: the nodes of a network as data. Files get the names and the layout of its weights from it.

use super::node::Node;
use super::slot::Slot;
use super::spec::{Root, Spec};
use crate::memory::WeightOwner;
use crate::types::{LayerOrder, MAX_INPUTS, Tensor};
use unrolled_shape::Shape;
use unrolled_shape::registry::{Channels, Features};

/// The nodes of a network. Its values have numbers: first the inputs, then the output of each node.
#[derive(Clone, Copy, Debug)]
pub struct Graph {
    /// The shapes of the inputs.
    pub inputs: &'static [Shape],
    /// All nodes, views among them, in the order in which they run.
    pub nodes: &'static [GraphNode],
    /// The number of the value that is the output.
    pub output: usize,
}

impl Graph {
    /// The graph of a network that is not understood: it is expanded as far as other code needs it.
    pub const EMPTY: Self = Self { inputs: &[], nodes: &[], output: 0 };
}

/// A layer at its position in a network.
#[derive(Clone, Copy, Debug)]
pub struct GraphNode {
    /// Its path within its network: `stage1.0.conv2d`.
    pub name: &'static str,
    /// The numbers of the values that it reads.
    pub inputs: &'static [usize],
    /// The shape of its output.
    pub output: Shape,
    /// What it is.
    pub layer: GraphLayer,
}

impl GraphNode {
    /// The node `S`.
    #[must_use]
    pub const fn of<S: Spec>(inputs: &'static [usize], layer: GraphLayer) -> Self {
        Self { name: S::NAME, inputs, output: S::OUTPUT, layer }
    }
}

/// What a node is.
#[derive(Clone, Copy, Debug)]
pub enum GraphLayer {
    /// A layer.
    Layer {
        /// What it does with the order of features.
        features: Features,
        /// Where PyTorch has the channels of its output.
        channels: Channels,
        /// The weights that it uses: of another layer, and its own.
        weights: &'static [LayerWeights],
    },
    /// A type of the user's.
    Custom {
        /// Its nodes.
        graph: &'static Graph,
        /// The offset of its weights among those of the network.
        offset: usize,
    },
    /// An earlier node of the network again, with its weights.
    Again {
        /// The index of that node.
        first: usize,
    },
}

impl Graph {
    /// What a node is; of one that applies an earlier node again, what that is.
    #[must_use]
    pub fn layer(&self, node: &GraphNode) -> GraphLayer {
        match node.layer {
            GraphLayer::Again { first } => self.nodes[first].layer,
            layer => layer,
        }
    }
}

impl GraphLayer {
    /// A layer without weights whose inputs and output have the same order of features.
    pub const SAME: Self = Self::new(Features::Same, Channels::AsInput, &[]);

    /// A layer.
    #[must_use]
    pub const fn new(
        features: Features,
        channels: Channels,
        weights: &'static [LayerWeights],
    ) -> Self {
        Self::Layer { features, channels, weights }
    }
}

/// Weights of a layer in files.
#[derive(Clone, Copy, Debug)]
pub struct LayerWeights {
    /// See [`Node::file_tensors`].
    pub tensors: fn(&LayerOrder) -> Vec<Tensor>,
    /// Their offset among those of the network.
    pub offset: usize,
    /// How many of them are meant: those of another layer are its weight, without its bias.
    pub len: usize,
    /// Whether they are those of another layer, which files contain under both names.
    pub shared: bool,
}

impl LayerWeights {
    /// The weights of a node.
    #[must_use]
    pub const fn of<S: Spec, T: Node<S>>(slot: &Slot<S, T>) -> Self {
        Self { tensors: T::file_tensors, offset: slot.offset(), len: T::LEN, shared: false }
    }

    /// The weight of the node `owner`, as one that another node uses.
    #[must_use]
    pub const fn shared<S: Spec, T: Node<S> + WeightOwner>(owner: &Slot<S, T>) -> Self {
        Self { len: T::WEIGHT_LEN, shared: true, ..Self::of(owner) }
    }

    /// The weights of a layer that is not part of a network.
    pub(super) const fn of_root<T: Node<Root>>() -> Self {
        Self { tensors: T::file_tensors, offset: 0, len: T::LEN, shared: false }
    }
}

/// The numbers of the first `count` values.
pub(super) const fn first_inputs(count: usize) -> &'static [usize] {
    const NUMBERS: [usize; MAX_INPUTS] = {
        let mut numbers = [0; MAX_INPUTS];
        let mut i = 0;
        while i < MAX_INPUTS {
            numbers[i] = i;
            i += 1;
        }
        numbers
    };
    NUMBERS.split_at(count).0
}
