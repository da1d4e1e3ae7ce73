//! [`file_tensors`]: all tensors of a network.

use super::features::{FeatureOrders, OrderConflict};
use super::flat::{FlatGraph, FlatNode};
use crate::contract::{LayerWeights, Shaped};
use crate::types::{LayerOrder, Tensor};
#[cfg(feature = "train")]
use std::ops::Range;

/// The tensors of a network in files.
#[derive(Debug)]
pub(crate) struct FileTensors {
    /// In the order of the layers.
    pub(crate) tensors: Vec<Tensor>,
    /// Why PyTorch has no such tensors, if it has none.
    pub(crate) conflict: Option<OrderConflict>,
}

/// The names and layouts of all weights of a network.
pub(crate) fn file_tensors<N: Shaped>() -> FileTensors {
    tensors_of(&FlatGraph::new(&N::GRAPH))
}

/// The ranges of the weights of all layers that have any, buffers included, among all weights of a network.
#[cfg(feature = "train")]
pub(crate) fn layer_ranges<N: Shaped>() -> Vec<Range<usize>> {
    let own = |node: &FlatNode| {
        let own = node.weights.iter().filter(|weights| !weights.shared && weights.len > 0);
        let begin = |weights: &LayerWeights| node.offset + weights.offset;
        own.map(|weights| begin(weights)..begin(weights) + weights.len).collect::<Vec<_>>()
    };
    FlatGraph::new(&N::GRAPH).nodes.iter().flat_map(own).collect()
}

/// The same, compiled once.
pub(super) fn tensors_of(graph: &FlatGraph) -> FileTensors {
    let orders = FeatureOrders::new(graph);
    let mut tensors = Vec::new();
    for node in &graph.nodes {
        let order = LayerOrder {
            input: node.inputs.first().map(|input| orders.of(*input)).unwrap_or_default(),
            output: orders.of(node.output),
        };
        tensors.extend(node.weights.iter().flat_map(|weights| named(node, weights, &order)));
    }
    FileTensors { tensors, conflict: orders.conflict }
}

/// The tensors of one layer.
fn named(node: &FlatNode, weights: &LayerWeights, order: &LayerOrder) -> Vec<Tensor> {
    let offset = node.offset + weights.offset;
    let tensors = (weights.tensors)(order).into_iter();
    // Without the other tensors of a shared weight's owner, such as its bias, which come after the weight.
    let used = tensors.filter(|tensor| !weights.shared || tensor.offset < weights.len);
    used.map(|tensor| Tensor { shared: weights.shared, ..tensor.inside(&node.name, offset) })
        .collect()
}
