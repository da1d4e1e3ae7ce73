//! The shapes that features were flattened from. PyTorch flattens images and the outputs of convolutions and
//! pools over steps channels first, so that the weights of a later `Dense` have another order in its files.
//! Its recurrent layers and embeddings have the steps first, as all values have here.

use crate::network::{Dims, Layer, Network, Node, ValueId};
use unrolled_shape::registry::{Inputs, Order, Storage};

/// Fills [`Value::features`](crate::network::Value::features).
pub(crate) fn infer_features(network: &mut Network) {
    // PyTorch's order of each value that has steps; `None` where no layer determines it.
    let mut orders: Vec<Option<Order>> = vec![None; network.values.len()];
    for node in 0..network.nodes.len() {
        let it = &network.nodes[node];
        let (output, order) = (it.output.0, order(it, &orders));
        network.values[output].features = features(network, it, &orders);
        orders[output] = order;
    }
}

/// PyTorch's order of a node's output. Where branches of both orders meet, a PyTorch model has to transpose
/// some of them first; this assumes that it transposes those with channels first.
fn order(node: &Node, orders: &[Option<Order>]) -> Option<Order> {
    let Layer::Known { row, .. } = &node.layer else { return None };
    match row.order {
        Order::AsInput => {
            let mut inputs = node.inputs.iter().filter_map(|input| orders[input.0]);
            let first = inputs.next()?;
            Some(if inputs.all(|order| order == first) { first } else { Order::StepsFirst })
        }
        order => Some(order),
    }
}

/// The parts that the features of a node's output were flattened from; none where they were not.
fn features(network: &Network, node: &Node, orders: &[Option<Order>]) -> Vec<Dims> {
    let Layer::Known { row, .. } = &node.layer else { return Vec::new() };
    let is_flat = |value: ValueId| {
        let dims = &network.values[value.0].dims;
        dims.constant.is_none() && dims.sizes.len() == 1
    };
    let (input, flat) = (node.inputs[0], is_flat(node.output));
    let value = &network.values[input.0];
    if row.storage == Storage::View {
        return match value.dims.sizes.len() {
            // An image, whose channels PyTorch has first.
            3 if flat => vec![value.dims.clone()],
            // Steps with features are in PyTorch's order, unless it has the channels first.
            2 if flat && orders[input.0] == Some(Order::ChannelsFirst) => vec![value.dims.clone()],
            // Flattened already.
            1 if flat => value.features.clone(),
            _ => Vec::new(),
        };
    }
    if row.keeps_features {
        value.features.clone()
    } else if row.inputs == Inputs::Branches && flat {
        joined(network, node)
    } else {
        Vec::new()
    }
}

/// The parts of all branches, side by side; none where no branch was flattened. A branch that was not is one part of one
/// axis.
fn joined(network: &Network, node: &Node) -> Vec<Dims> {
    let branches = || node.inputs.iter().map(|input| &network.values[input.0]);
    if branches().all(|branch| branch.features.is_empty()) {
        return Vec::new();
    }
    branches()
        .flat_map(|branch| match branch.features.is_empty() {
            true => vec![branch.dims.clone()],
            false => branch.features.clone(),
        })
        .collect()
}
