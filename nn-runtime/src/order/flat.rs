//! [`FlatGraph`]: a network with the nodes of the networks in it, as one list.

use crate::contract::{Graph, GraphLayer, LayerWeights};
use unrolled_shape::Shape;
use unrolled_shape::registry::{Channels, Features};

/// All layers of a network. The order of a value's features depends on what surrounds a network that is a layer of
/// another one, so that it must be found for all layers together.
#[derive(Debug, Default)]
pub(super) struct FlatGraph {
    /// The shape of each value.
    pub(super) values: Vec<Shape>,
    /// In the order in which they run.
    pub(super) nodes: Vec<FlatNode>,
}

/// A layer.
#[derive(Debug)]
pub(super) struct FlatNode {
    /// Its path within the outermost network.
    pub(super) name: String,
    /// The values that it reads.
    pub(super) inputs: Vec<usize>,
    /// The value that it writes.
    pub(super) output: usize,
    pub(super) features: Features,
    pub(super) channels: Channels,
    pub(super) weights: &'static [LayerWeights],
    /// The offset of its network's weights among those of the outermost one.
    pub(super) offset: usize,
}

impl FlatGraph {
    /// The nodes of `graph`.
    pub(super) fn new(graph: &Graph) -> Self {
        let mut flat = Self::default();
        let inputs: Vec<usize> = graph.inputs.iter().map(|shape| flat.value(*shape)).collect();
        flat.add(graph, &inputs, "", 0);
        flat
    }

    fn value(&mut self, shape: Shape) -> usize {
        self.values.push(shape);
        self.values.len() - 1
    }

    /// Adds the nodes of `graph`, which reads `inputs`, and returns its output.
    fn add(&mut self, graph: &Graph, inputs: &[usize], prefix: &str, offset: usize) -> usize {
        let mut values = inputs.to_vec();
        for node in graph.nodes {
            let inputs: Vec<usize> = node.inputs.iter().map(|input| values[*input]).collect();
            let name = match (prefix, node.name) {
                ("", name) => name.to_owned(),
                (prefix, "") => prefix.to_owned(),
                (prefix, name) => format!("{prefix}.{name}"),
            };
            values.push(match node.layer {
                GraphLayer::Custom { graph, offset: inner } => {
                    self.add(graph, &inputs, &name, offset + inner)
                }
                GraphLayer::Layer { features, channels, weights } => {
                    let output = self.value(node.output);
                    let node =
                        FlatNode { name, inputs, output, features, channels, weights, offset };
                    self.nodes.push(node);
                    output
                }
            });
        }
        values[graph.output]
    }
}
