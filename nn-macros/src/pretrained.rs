//! `#[weights("digits.safetensors")]`: the file is read and laid out while the macro expands.

use proc_macro2::Span;
use std::fs;
use std::path::Path;
use syn::LitStr;
use unrolled_shape::Value as RuleValue;
use unrolled_shape::registry::Row;
use unrolled_weights::{
    FileTensors, Graph, GraphNode, LayerTensors, NodeWeights, file, layer_tensors,
};

use crate::network::{Dim, Layer, Network, Node, Sizes};
use crate::report::{Report, mistake};

/// The weights of a file for a network.
pub(crate) struct Pretrained<'a> {
    /// The path of the file, from the folder of the package's Cargo.toml.
    pub(crate) path: &'a LitStr,
    /// The values in the order of the network's memory; `None` after a mistake.
    pub(crate) values: Option<Vec<f32>>,
}

/// Reads the file `path`. Mistakes are reported.
pub(crate) fn read_weights<'a>(
    network: &Network,
    path: &'a LitStr,
    report: &mut Report,
) -> Pretrained<'a> {
    let values = match weights_graph(network) {
        Ok((graph, len)) => read_file(&path.value(), &FileTensors::of(&graph), len)
            .map_err(|message| (path.span(), message)),
        Err(mistake) => Err(mistake),
    };
    let values = values.map_err(|(span, message)| report.error(span, message)).ok();
    Pretrained { path, values }
}

/// The `len` weights of a network in the file `path`.
fn read_file(path: &str, tensors: &FileTensors, len: usize) -> Result<Vec<f32>, String> {
    // Cargo runs the compiler in the folder of the workspace.
    let folder = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default();
    let found = fs::read(Path::new(&folder).join(path));
    let bytes = found.map_err(|why| mistake::no_file(path, &why))?;
    let mut floats = vec![0.0; len];
    file::read(Path::new(path), &mut &bytes[..], tensors, &mut floats)
        .map_err(|error| error.to_string())?;
    Ok(floats)
}

/// The layers of a network with the layouts of their weights, and the number of all weights.
///
/// # Errors
/// Where a size is not known while expanding: the layer's place, and the message.
fn weights_graph(network: &Network) -> Result<(Graph<'_>, usize), (Span, String)> {
    let mut graph = Graph::default();
    // Of each node, the offset of its weights.
    let mut offsets = Vec::new();
    let mut end = 0;
    for value in &network.values {
        let unknown = || match value.producer {
            Some(node) => refuse(&network.nodes[node]),
            None => (value.dims.span, mistake::unknown_weights("input", false)),
        };
        graph.value(value.dims.known().ok_or_else(unknown)?);
    }
    for (index, node) in network.nodes.iter().enumerate() {
        let Layer::Known { row, .. } = &node.layer else { return Err(refuse(node)) };
        let sizes = network.sizes(node, Dim::known).ok_or_else(|| refuse(node))?;
        let len =
            row.params(&sizes.inputs, &sizes.values) + row.buffers(&sizes.inputs, &sizes.values);
        offsets.push(node.first.map_or(end, |first| offsets[first]));
        end += if node.first.is_none() { len } else { 0 };
        let shared = node.owner.map(|owner| shared_weight(network, owner, offsets[owner], &sizes));
        let channels = row.channels(&sizes.inputs, &sizes.values);
        let own = row.tensors.map(|_| NodeWeights {
            len,
            offset: offsets[index],
            shared: false,
            tensors: tensors_of(row, sizes),
        });
        graph.nodes.push(GraphNode {
            name: node.path.clone(),
            inputs: node.inputs.iter().map(|value| value.0).collect(),
            output: node.output.0,
            features: network.features(network.first(index), row),
            channels,
            weights: shared.flatten().into_iter().chain(own).collect(),
            first: node.first,
        });
    }
    Ok((graph, end))
}

/// The weight of the node `owner`, which begins at `offset`, as one that a node of these sizes uses.
fn shared_weight(
    network: &Network,
    owner: usize,
    offset: usize,
    sizes: &Sizes,
) -> Option<NodeWeights<'static>> {
    let len = sizes.values.iter().find_map(|value| match value {
        RuleValue::Weight(shape) => Some(shape.len()),
        _ => None,
    })?;
    let owner = &network.nodes[owner];
    let Layer::Known { row, .. } = &owner.layer else { return None };
    let tensors = tensors_of(row, network.sizes(owner, Dim::known)?);
    Some(NodeWeights { tensors, offset, len, shared: true })
}

/// The tensors of a layer with these inputs and arguments.
fn tensors_of(row: &'static Row, sizes: Sizes) -> LayerTensors<'static> {
    Box::new(move |order| {
        let Some(tensors) = row.tensors else { return Vec::new() };
        layer_tensors(order, |sink| tensors(&sizes.inputs, &sizes.values, sink))
    })
}

fn refuse(node: &Node) -> (Span, String) {
    let is_type = matches!(node.layer, Layer::Custom(_));
    (node.span, mistake::unknown_weights(&node.label, is_type))
}
