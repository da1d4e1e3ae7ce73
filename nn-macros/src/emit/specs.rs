//! The specs: one type per node, with its sizes and arguments as constants.

use super::context::Context;
use super::{docs, shapes, steps};
use crate::network::Layer;
use proc_macro2::TokenStream;
use quote::quote;

/// The specs of all nodes that run.
pub(super) fn emit_specs(context: &Context) -> TokenStream {
    context.running().map(|(node, _)| emit_spec(context, node)).collect()
}

fn emit_spec(context: &Context, index: usize) -> TokenStream {
    let Context { network, impl_generics, arguments: generics, .. } = context;
    let rt = quote!(__rt);
    let node = &network.nodes[index];
    let spec = &context.names[index].spec;
    let (_, _, where_clause) = network.generics.split_for_impl();
    let parameters = &network.generics;
    let doc = format!(" {}", docs::line(network, node));
    let (kind, arguments) = match &node.layer {
        Layer::Known { row, arguments } => {
            (shapes::rule_type(&rt, row), shapes::rule(&rt, row, arguments))
        }
        Layer::Custom(_) => (quote!(()), quote!(())),
    };
    let inputs = shapes::shapes(&rt, network, &node.inputs);
    let output = shapes::shape(&rt, &network.values[node.output.0].dims);
    let name = &node.path;
    let steps = steps::emit_steps(context, node);
    let layer = emit_layer(context, index);
    // An enum without variants has no values, and its const generics may be unused.
    quote! {
        #[doc = #doc]
        enum #spec #parameters {}
        impl #impl_generics __rt::Spec for #spec #generics #where_clause {
            type Arguments = #kind;
            const ARGUMENTS: Self::Arguments = #arguments;
            const INPUTS: &'static [__rt::Shape] = &#inputs;
            const OUTPUT: __rt::Shape = #output;
            const NAME: &'static str = #name;
            #steps
        }
        #layer
    }
}

/// The name of the layer's type: each size that is written in a type is a constant for the compiler to check, and the type is
/// needed in several places.
fn emit_layer(context: &Context, index: usize) -> Option<TokenStream> {
    let network = context.network;
    let node = &network.nodes[index];
    let is_known = matches!(node.layer, Layer::Known { .. });
    (is_known && node.first.is_none() && node.has_weights()).then(|| {
        let (name, parameters) = (&context.names[index].layer, &network.generics);
        let layer = shapes::layer_type(&quote!(__rt), network, index);
        quote!(type #name #parameters = #layer;)
    })
}
