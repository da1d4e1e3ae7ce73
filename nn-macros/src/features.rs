//! From what features were flattened: PyTorch flattens pictures channels first, and so it does what its
//! convolutions and pools over steps give. Its recurrent layers and embeddings have the steps first, as
//! everything has here.

use crate::network::{Dims, Layer, Network, Node, ValueId};
use unrolled_shape::registry::{Inputs, Order, Storage};

/// Fills [`Value::features`](crate::network::Value::features).
pub(crate) fn infer_features(network: &mut Network) {
    // The order of PyTorch's numbers where a value has steps; `None` where nothing says which.
    let mut orders: Vec<Option<Order>> = vec![None; network.values.len()];
    for node in 0..network.nodes.len() {
        let it = &network.nodes[node];
        let (output, order) = (it.output.0, order(it, &orders));
        network.values[output].features = features(network, it, &orders);
        orders[output] = order;
    }
}

/// The order of what a node gives. Where branches of different orders meet, PyTorch has to turn some of
/// them around first; here these are the ones with channels first.
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

/// The parts that the features of what a node gives were flattened from; none where they were not.
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
            3 if flat => vec![value.dims.clone()],
            2 if flat && orders[input.0] == Some(Order::ChannelsFirst) => vec![value.dims.clone()],
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

/// The parts of all branches, side by side; none where no branch was flattened.
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
