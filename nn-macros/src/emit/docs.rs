//! The documentation of a network: its table, its lines.

use crate::network::{Dim, Dims, Network, Node};
use unrolled_shape::Text;

/// A node in one line: `conv1: Conv2d(32, kernel = 3): 28x28x1 -> 26x26x32`.
pub(super) fn line(network: &Network, node: &Node) -> String {
    let inputs: Vec<String> =
        node.inputs.iter().map(|input| text(&network.values[input.0].dims)).collect();
    let output = text(&network.values[node.output.0].dims);
    format!("`{}`: `{}`: {} -> {output}", node.path, node.source, inputs.join(" and "))
}

/// The same with the number of its parameters: `conv1: Conv2d(32, kernel = 3): 28x28x1 -> 26x26x32, 320 parameters`.
pub(super) fn field(network: &Network, node: &Node) -> String {
    let line = line(network, node);
    match node.cost {
        Some(cost) => format!("{line}, {} parameters", grouped(cost.params)),
        None => line,
    }
}

/// A shape as in source code, as far as it is known while expanding: `28x28x1`, `[H, W, 1]`.
pub(super) fn text(dims: &Dims) -> String {
    if let Some(shape) = dims.known() {
        return shape.to_string();
    }
    if dims.constant.is_some() {
        return "computed".into();
    }
    let sizes = dims.sizes.iter().map(|size| match size {
        Dim::Known(size) => size.to_string(),
        Dim::Symbolic(tokens) => tokens.to_string(),
        Dim::Computed(_) => "?".into(),
    });
    let sizes: Vec<String> = sizes.collect();
    if let [size] = sizes.as_slice() { size.clone() } else { format!("[{}]", sizes.join(", ")) }
}

/// The table of a network as lines of Markdown, where all sizes are literals.
pub(super) fn table(network: &Network) -> Vec<String> {
    let mut lines = vec![
        " | layer | kind | output | parameters |".to_string(),
        " |---|---|---|--:|".to_string(),
    ];
    let mut total = 0;
    for (_, node) in network.written() {
        let Some(cost) = node.cost else { return Vec::new() };
        let output = text(&network.values[node.output.0].dims);
        let params = grouped(cost.params);
        lines.push(format!(
            " | `{}` | `{}` | {output} | {params} |",
            node.path,
            // It would end the cell.
            node.source.replace('|', "\\|")
        ));
        total += cost.params;
    }
    lines.push(format!(" | | | **total** | **{}** |", grouped(total)));
    lines
}

/// `225,034`
fn grouped(number: usize) -> String {
    Text::new().grouped(number).to_string()
}
