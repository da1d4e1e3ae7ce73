//! The graph of the network as a constant: files get the names of weights and the order of features from it.

use super::context::Context;
use super::shapes;
use crate::network::{Argument, Layer, Network, Node, ValueId};
use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;
use std::fmt::Debug;
use unrolled_shape::registry::{Channels, Features, Row, Storage};

/// The constant `GRAPH` of `Shaped`.
pub(super) fn emit_graph(context: &Context) -> Option<TokenStream> {
    let network = context.network;
    if !network.features.std {
        return None;
    }
    let numbers = Numbers::of(network);
    let inputs: Vec<ValueId> = network.inputs.iter().map(|input| input.value).collect();
    let inputs = shapes::shapes(&quote!(__rt), network, &inputs);
    let nodes = (0..network.nodes.len()).map(|node| emit_node(context, &numbers, node));
    let output = numbers.number(network.output_value);
    Some(quote! {
        const GRAPH: __rt::Graph = __rt::Graph {
            inputs: &#inputs,
            nodes: &[#(#nodes),*],
            output: #output,
        };
    })
}

/// The number of each value in the graph: first the inputs, then the outputs of the nodes.
struct Numbers(Vec<usize>);

impl Numbers {
    fn of(network: &Network) -> Self {
        let mut numbers = vec![0; network.values.len()];
        let inputs = network.inputs.iter().map(|input| input.value);
        let outputs = network.nodes.iter().map(|node| node.output);
        for (number, value) in inputs.chain(outputs).enumerate() {
            numbers[value.0] = number;
        }
        Self(numbers)
    }

    fn number(&self, value: ValueId) -> TokenStream {
        shapes::number(self.0[value.0])
    }
}

fn emit_node(context: &Context, numbers: &Numbers, index: usize) -> TokenStream {
    let network = context.network;
    let node = &network.nodes[index];
    let inputs = node.inputs.iter().map(|input| numbers.number(*input));
    let inputs = quote!(&[#(#inputs),*]);
    let layer = match (&node.layer, node.first) {
        (_, Some(first)) => {
            let first = shapes::number(first);
            quote!(__rt::GraphLayer::Again { first: #first })
        }
        (Layer::Custom(layer), None) => {
            let slot = context.slot(index);
            quote!(__rt::GraphLayer::Custom {
                graph: &<#layer as __rt::Shaped>::GRAPH,
                offset: #slot.offset(),
            })
        }
        (Layer::Known { row, arguments }, None) => {
            let features = network.features(index, row);
            let weights = emit_weights(context, index);
            let is_plain = weights.is_empty() && row.channels_of.is_none();
            if is_plain && (features, row.channels) == (Features::Same, Channels::AsInput) {
                quote!(__rt::GraphLayer::SAME)
            } else {
                let features = variant(features);
                let channels = emit_channels(network, node, row, arguments);
                quote!(__rt::GraphLayer::new(__rt::Features::#features, #channels, &[#(#weights),*]))
            }
        }
    };
    if node.storage() != Storage::View {
        let spec = context.spec(index);
        return quote!(__rt::GraphNode::of::<#spec>(#inputs, #layer));
    }
    // Views have no specs.
    let name = &node.path;
    let output = shapes::shape(&quote!(__rt), &network.values[node.output.0].dims);
    quote!(__rt::GraphNode { name: #name, inputs: #inputs, output: #output, layer: #layer })
}

/// Where PyTorch has the channels of the output of `node`.
fn emit_channels(network: &Network, node: &Node, row: &Row, arguments: &[Argument]) -> TokenStream {
    let rt = quote!(__rt);
    if row.channels_of.is_some() {
        let rule = shapes::rule(&rt, row, arguments);
        let inputs = shapes::shapes(&rt, network, &node.inputs);
        return quote!(#rule.channels(&#inputs));
    }
    let channels = variant(row.channels);
    quote!(#rt::Channels::#channels)
}

/// The name of a variant.
fn variant(value: impl Debug) -> Ident {
    Ident::new(&format!("{value:?}"), Span::call_site())
}

/// The weights that a node uses: that of another one first, as files have them.
fn emit_weights(context: &Context, index: usize) -> Vec<TokenStream> {
    let node: &Node = &context.network.nodes[index];
    let slot = context.slot(index);
    let shared = node.owner.map(|owner| {
        let owner = context.slot(owner);
        quote!(__rt::LayerWeights::shared(&#owner))
    });
    let own = node.has_weights().then(|| quote!(__rt::LayerWeights::of(&#slot)));
    shared.into_iter().chain(own).collect()
}
