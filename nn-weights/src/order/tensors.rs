//! [`FileTensors`]: all tensors of a network.

use super::channels::axes_before_channels;
use super::features::{FeatureOrders, OrderConflict};
use super::graph::{Graph, GraphNode, NodeWeights};
use crate::feature_order::LayerOrder;
use crate::tensor::Tensor;

/// The tensors of a network in files.
#[derive(Debug)]
pub struct FileTensors {
    /// In the order of the layers.
    pub tensors: Vec<Tensor>,
    /// The same weights under the names of the layers that apply earlier ones again. Files need not contain them.
    pub aliases: Vec<Tensor>,
    /// Why PyTorch has no such tensors, if it has none.
    pub conflict: Option<OrderConflict>,
}

impl FileTensors {
    /// The names and layouts of all weights of a network.
    #[must_use]
    pub fn of(graph: &Graph<'_>) -> Self {
        let orders = FeatureOrders::new(graph);
        let before = axes_before_channels(graph);
        let (mut tensors, mut aliases) = (Vec::new(), Vec::new());
        for node in &graph.nodes {
            let order = LayerOrder {
                input: node.inputs.first().map(|input| orders.of(*input)).unwrap_or_default(),
                output: orders.of(node.output),
                axes_before_channels: node.inputs.first().and_then(|input| before[*input]),
            };
            let named = node.weights.iter().flat_map(|weights| named(node, weights, &order));
            match node.first {
                None => tensors.extend(named),
                Some(_) => aliases.extend(named.map(|tensor| Tensor { shared: true, ..tensor })),
            }
        }
        Self { tensors, aliases, conflict: orders.conflict }
    }
}

/// The tensors of one layer.
fn named(node: &GraphNode<'_>, weights: &NodeWeights<'_>, order: &LayerOrder) -> Vec<Tensor> {
    let tensors = (weights.tensors)(order).into_iter();
    // Without the other tensors of a shared weight's owner, such as its bias, which come after the weight.
    let used = tensors.filter(|tensor| !weights.shared || tensor.offset < weights.len);
    used.map(|tensor| Tensor {
        shared: weights.shared,
        ..tensor.inside(&node.name, weights.offset)
    })
    .collect()
}
