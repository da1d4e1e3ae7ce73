//! The documentation of a network: its header, its table, its lines.

use proc_macro2::Ident;
use syn::ext::IdentExt;

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
        Dim::Bound(size) => size.written.clone(),
        Dim::Computed(_) => "?".into(),
    });
    let sizes: Vec<String> = sizes.collect();
    if let [size] = sizes.as_slice() { size.clone() } else { format!("[{}]", sizes.join(", ")) }
}

/// The documentation of a network below the user's own, as lines of Markdown: its header and its table.
pub(super) fn network(network: &Network) -> Vec<String> {
    let mut lines = vec![format!(" `{}`", header(network)), String::new()];
    lines.extend(table(network));
    lines
}

/// The header: `Digits(28x28x1) -> 10`.
fn header(network: &Network) -> String {
    let inputs = network.inputs.iter().map(|input| {
        let dots = if input.ragged { ".." } else { "" };
        let shape = text(&network.values[input.value.0].dims);
        named(input.name.as_ref(), format!("{dots}{shape}"))
    });
    let outputs = network.outputs.iter();
    let outputs = outputs.map(|output| named(output.name.as_ref(), text(&output.promised)));
    let [inputs, outputs] = [inputs.collect::<Vec<_>>(), outputs.collect()].map(|it| it.join(", "));
    let outputs = if network.has_several_outputs() { format!("({outputs})") } else { outputs };
    format!("{}({inputs}) -> {outputs}", network.name)
}

fn named(name: Option<&Ident>, shape: String) -> String {
    name.map_or(shape.clone(), |name| format!("{}: {shape}", name.unraw()))
}

/// The table of the layers. Numbers of parameters that depend on constants are left out.
fn table(network: &Network) -> Vec<String> {
    let mut lines = vec![
        " | layer | kind | output | parameters |".to_string(),
        " |---|---|---|--:|".to_string(),
    ];
    let mut total = Some(0);
    for (_, node) in network.written() {
        let output = text(&network.values[node.output.0].dims);
        let params = node.cost.map(|cost| cost.params);
        total = total.zip(params).map(|(total, params)| total + params);
        lines.push(format!(
            " | {} | `{}` | {} | {} |",
            layer(node),
            cell(&node.source),
            cell(&output),
            params.map_or(String::new(), grouped),
        ));
    }
    let total = total.map(|total| format!(" | | | **total** | **{}** |", grouped(total)));
    lines.extend(total);
    lines
}

/// A bar would end the cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

/// The name of a layer, with a link to its field, whose type has a link to the documentation of the layer. A link to that
/// itself would need a path to this crate, which programs may give any name.
fn layer(node: &Node) -> String {
    match node.owns_weights() {
        true => format!("[`{}`](Self::{})", node.path, node.field),
        false => format!("`{}`", node.path),
    }
}

/// `225,034`
fn grouped(number: usize) -> String {
    Text::new().grouped(number).to_string()
}
