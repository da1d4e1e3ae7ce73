//! `#[weights("digits.safetensors")]`: the file is read and laid out while the macro expands.

use proc_macro2::Span;
use std::fs;
use std::path::Path;
use unrolled_shape::Value as RuleValue;
use unrolled_shape::half::{MAX_HALF, from_half, to_half};
use unrolled_shape::registry::Row;
use unrolled_weights::{
    FileTensors, Graph, GraphNode, LayerTensors, NodeWeights, file, layer_tensors,
};

use crate::ast::Weights;
use crate::network::{Dim, Layer, Network, Node, Sizes};
use crate::report::{Report, mistake};

/// The weights of a file for a network.
pub(crate) struct Pretrained<'a> {
    /// Where they are, and how they are stored.
    pub(crate) of: &'a Weights,
    /// The bytes of the values in the order of the network's memory; `None` after a mistake.
    pub(crate) bytes: Option<Vec<u8>>,
}

/// Reads the file. Mistakes are reported.
pub(crate) fn read_weights<'a>(
    network: &Network,
    of: &'a Weights,
    report: &mut Report,
) -> Pretrained<'a> {
    let bytes = weights_graph(network).and_then(|(graph, len)| {
        let tensors = FileTensors::of(&graph);
        let floats = read_file(&of.path.value(), &tensors, len);
        let bytes = floats.and_then(|floats| match of.half {
            true => halves(&tensors, &floats),
            false => Ok(floats.iter().flat_map(|float| float.to_le_bytes()).collect()),
        });
        bytes.map_err(|message| (of.path.span(), message))
    });
    let bytes = bytes.map_err(|(span, message)| report.error(span, message)).ok();
    Pretrained { of, bytes }
}

/// The weights rounded to half precision.
///
/// # Errors
/// For a finite weight that would be infinite. Counters, which inference does not read, become the largest value.
fn halves(tensors: &FileTensors, floats: &[f32]) -> Result<Vec<u8>, String> {
    let overflows = |float: f32| float.is_finite() && from_half(to_half(float)).is_infinite();
    for tensor in &tensors.tensors {
        if let Some(value) = tensor.find_float(floats, overflows) {
            return Err(mistake::no_half(&tensor.name, value));
        }
    }
    let half = |&float: &f32| match overflows(float) {
        true => to_half(MAX_HALF.copysign(float)),
        false => to_half(float),
    };
    Ok(floats.iter().map(half).flat_map(u16::to_le_bytes).collect())
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
        layer_tensors(order, &|sink| tensors(&sizes.inputs, &sizes.values, sink))
    })
}

fn refuse(node: &Node) -> (Span, String) {
    let is_type = matches!(node.layer, Layer::Custom(_));
    (node.span, mistake::unknown_weights(&node.label, is_type))
}
