//! The graph of a network with those of networks in it, as `unrolled-weights` reads it.

use crate::contract::{Graph, GraphLayer, LayerWeights, Shaped};
#[cfg(feature = "train")]
use std::ops::Range;
use unrolled_weights::{FileTensors, Graph as FlatGraph, GraphNode, NodeWeights};

/// The names and layouts of all weights of a network.
pub(crate) fn file_tensors<N: Shaped>() -> FileTensors {
    tensors_of(&N::GRAPH)
}

/// The ranges of the weights of all layers that have any, buffers included, among all weights of a network.
#[cfg(feature = "train")]
pub(crate) fn layer_ranges(graph: &Graph) -> Vec<Range<usize>> {
    let flat = flatten(graph);
    let nodes = flat.nodes.iter().filter(|node| node.first.is_none());
    let weights = nodes.flat_map(|node| &node.weights);
    let own = weights.filter(|weights| !weights.shared && weights.len > 0);
    own.map(|weights| weights.offset..weights.offset + weights.len).collect()
}

/// As [`file_tensors`], compiled once.
pub(crate) fn tensors_of(graph: &Graph) -> FileTensors {
    FileTensors::of(&flatten(graph))
}

/// All layers of a network, those of networks in it among them.
fn flatten(graph: &Graph) -> FlatGraph<'static> {
    let mut flat = FlatGraph::default();
    let inputs: Vec<usize> = graph.inputs.iter().map(|shape| flat.value(*shape)).collect();
    add(&mut flat, graph, &inputs, "", 0);
    flat
}

/// Adds the nodes of `graph`, which reads `inputs`, and returns its output.
fn add(
    flat: &mut FlatGraph<'_>,
    graph: &Graph,
    inputs: &[usize],
    prefix: &str,
    offset: usize,
) -> usize {
    let mut values = inputs.to_vec();
    // Of each node, the index of the first of its layers.
    let mut begins = Vec::new();
    for node in graph.nodes {
        let begin = flat.nodes.len();
        begins.push(begin);
        let inputs: Vec<usize> = node.inputs.iter().map(|input| values[*input]).collect();
        let name = match (prefix, node.name) {
            ("", name) => name.to_owned(),
            (prefix, "") => prefix.to_owned(),
            (prefix, name) => format!("{prefix}.{name}"),
        };
        values.push(match graph.layer(node) {
            GraphLayer::Again { .. } => unreachable!("of a node that is applied first"),
            GraphLayer::Custom { graph, offset: inner } => {
                add(flat, graph, &inputs, &name, offset + inner)
            }
            GraphLayer::Layer { features, channels, weights } => {
                let output = flat.value(node.output);
                let weights = weights.iter().map(|weights| inside(weights, offset)).collect();
                let first = None;
                flat.nodes.push(GraphNode {
                    name,
                    inputs,
                    output,
                    features,
                    channels,
                    weights,
                    first,
                });
                output
            }
        });
        if let GraphLayer::Again { first } = node.layer {
            // The same layers in the same order.
            for (layer, first) in flat.nodes[begin..].iter_mut().zip(begins[first]..) {
                layer.first = Some(first);
            }
        }
    }
    values[graph.output]
}

/// The weights of a layer, whose network's weights begin at `offset`.
fn inside(weights: &LayerWeights, offset: usize) -> NodeWeights<'static> {
    NodeWeights {
        tensors: Box::new(weights.tensors),
        offset: offset + weights.offset,
        len: weights.len,
        shared: weights.shared,
    }
}
