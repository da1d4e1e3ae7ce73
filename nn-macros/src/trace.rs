//! The path of the data to a mistake: `28x28x1 -conv1-> 26x26x32 -MaxPool2d-> 13x13x32`.

use unrolled_shape::registry::Flows;

use crate::network::{Dim, Dims, Layer, Network, Node, ValueId};
use crate::report::mistake::tidy;

/// The most steps that are shown, the last ones.
const MOST_STEPS: usize = 10;

/// How `value` comes about, along the first branch of each join and the body of each residual.
pub(crate) fn trace(network: &Network, value: ValueId) -> String {
    let mut steps: Vec<&Node> = Vec::new();
    let mut begin = value;
    while steps.len() < MOST_STEPS
        && let Some(node) = network.producer(begin).map(|node| &network.nodes[node])
        && let Some(input) = node.inputs.first()
        && is_known(&network.values[input.0].dims)
    {
        // `-relu-> 26x26x32` after `26x26x32` would not say how a size arose.
        if !keeps_shape(node) {
            steps.push(node);
        }
        begin = *input;
    }
    let is_input = network.inputs.iter().any(|input| input.value == begin);
    let mut text = if is_input { String::new() } else { String::from(".. ") };
    text += &write(&network.values[begin.0].dims);
    for node in steps.iter().rev() {
        let output = write(&network.values[node.output.0].dims);
        text += &format!(" -{}-> {output}", node.label);
    }
    text
}

/// Whether the shape is known, and not lost by a mistake.
fn is_known(dims: &Dims) -> bool {
    !dims.sizes.is_empty()
}

/// Whether layers of this kind never change a shape, so that a trace can leave them out.
pub(crate) fn keeps_shape(node: &Node) -> bool {
    matches!(&node.layer, Layer::Known { row, .. } if row.flows == Flows::SAME)
}

/// A shape as people write it: `28x28x1`, `[H, W, 1]`, `?`.
fn write(dims: &Dims) -> String {
    match dims.known() {
        Some(shape) => shape.to_string(),
        None if dims.constant.is_some() => String::from("?"),
        None => {
            let sizes: Vec<String> = dims.sizes.iter().map(write_size).collect();
            if sizes.len() == 1 { sizes[0].clone() } else { format!("[{}]", sizes.join(", ")) }
        }
    }
}

fn write_size(size: &Dim) -> String {
    match size {
        Dim::Known(size) => size.to_string(),
        Dim::Symbolic(tokens) => tidy(tokens),
        Dim::Bound(size) => size.written.clone(),
        Dim::Computed(_) => String::from("?"),
    }
}
