//! How a network runs one step at a time.

use super::context::Context;
use super::forward::{Inference, copy_output, emit_nodes};
use super::inputs::by_reference;
use super::shapes;
use super::steps::{network_streams, streams, takes_sequences};
use crate::network::{Node, ValueId};
use crate::report::mistake;
use proc_macro2::TokenStream;
use quote::quote;

/// The layer of a network of sequences that takes whole ones only.
fn whole<'a>(context: &Context<'a>) -> Option<&'a Node> {
    let mut nodes = context.network.nodes.iter();
    nodes.find(|node| !streams(node)).filter(|_| takes_sequences(context))
}

/// A `fn step` that cannot be called: a call is an error that names the layer that takes whole sequences.
fn emit_refusal(context: &Context) -> Option<TokenStream> {
    whole(context)?;
    let (krate, visibility) = (&context.network.krate, &context.network.visibility);
    Some(quote! {
        #[doc(hidden)]
        #visibility fn step<__Step: __StepByStep>(
            &self,
            _state: &mut #krate::__private::State<Self>,
            step: __Step,
        ) -> __Step::Output {
            step.refused()
        }
    })
}

/// The trait of [`emit_refusal`] that nothing has: the compiler says so in its words.
fn emit_refusal_trait(context: &Context) -> Option<TokenStream> {
    let (network, layer) = (&context.network.name, &whole(context)?.label);
    let message = mistake::takes_whole_sequences(&network.to_string(), layer);
    Some(quote! {
        #[diagnostic::on_unimplemented(message = #message, label = "`step` takes one step at a time")]
        pub trait __StepByStep {
            type Output;
            fn refused(self) -> Self::Output;
        }
    })
}

/// The type of one step of a value.
fn step_type(context: &Context, value: ValueId, element: &str) -> TokenStream {
    let mut dims = context.network.values[value.0].dims.clone();
    if context.counts_steps(value) {
        dims.sizes.remove(0);
    }
    shapes::array_type(element, &dims)
}

/// `fn step`, for everybody to call.
pub(super) fn emit_step_method(context: &Context) -> Option<TokenStream> {
    if !network_streams(context) {
        return emit_refusal(context);
    }
    let network = context.network;
    let (krate, visibility) = (&network.krate, &network.visibility);
    let types: Vec<TokenStream> = network
        .inputs
        .iter()
        .map(|input| step_type(context, input.value, if input.index { "u32" } else { "f32" }))
        .collect();
    let output = step_type(context, network.output_value, "f32");
    let (pattern, kind, names) = by_reference(context, &types);
    Some(quote! {
        /// One step of a sequence, at inference, without allocation: `state` holds what the layers
        /// remember of the steps before, and receives what they remember of this one.
        #[inline]
        #visibility fn step(
            &self,
            state: &mut #krate::__private::State<Self>,
            #pattern: #kind,
        ) -> #output {
            #krate::__private::step_one(
                self,
                state,
                &[#(#krate::__private::Values::as_floats(#names)),*],
            )
        }
    })
}

/// `impl Streaming`, or what says why there is none.
pub(super) fn emit_streaming(context: &Context) -> Option<TokenStream> {
    if !network_streams(context) {
        return emit_refusal_trait(context);
    }
    let Context { arguments, turbofish, where_clause, .. } = context;
    let name = &context.network.name;
    let mut generics = context.network.generics.clone();
    generics.params.push(syn::parse_quote!(__S: __rt::Spec));
    let (impl_generics, _, _) = generics.split_for_impl();
    let nodes = emit_nodes(context, Inference::Step);
    let copy = copy_output(context);
    Some(quote! {
        impl #impl_generics __rt::Streaming<__S> for #name #arguments #where_clause {
            #[inline(always)]
            fn step<__I: __rt::Instructions>(&self, isa: __I, call: __rt::Infer<'_>) {
                let __rt::Infer { n, x, y, ctx } = call;
                let (values, mut ctx) = ctx.split_values(__Step #turbofish::VALUES);
                #nodes
                #copy
            }
        }
    })
}
