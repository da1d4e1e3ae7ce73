//! Sequences: the steps of values as expressions, and whether a network can run step by step.

use super::context::Context;
use super::shapes;
use super::sources::Source;
use crate::network::{Layer, Node, ValueId};
use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use unrolled_shape::registry::Steps;

impl Context<'_> {
    /// Whether the first axis of a value counts the steps of a sequence.
    pub(super) fn counts_steps(&self, value: ValueId) -> bool {
        self.steps[value.0].is_some()
    }

    /// The steps of a value, an expression of an `Option<StepsOf>`.
    pub(super) fn steps_of(&self, value: ValueId) -> TokenStream {
        match self.steps[value.0] {
            None => quote!(::core::option::Option::None),
            Some(Source::Input(nth)) => {
                let nth = shapes::number(nth);
                quote!(::core::option::Option::Some(__rt::StepsOf::input(#nth)))
            }
            Some(Source::Node(nth)) => self.constant("__Steps", &self.names[nth].constant),
        }
    }

    fn steps_of_inputs(&self, node: &Node) -> Vec<TokenStream> {
        node.inputs.iter().map(|input| self.steps_of(*input)).collect()
    }
}

/// `__Steps`: the steps of what nodes give that make others of their inputs'.
pub(super) fn emit_sources(context: &Context) -> Option<TokenStream> {
    let Context { network, impl_generics, arguments, .. } = context;
    let nodes = network
        .nodes
        .iter()
        .enumerate()
        .filter(|(nth, node)| context.steps[node.output.0] == Some(Source::Node(*nth)));
    let constants: Vec<TokenStream> = nodes
        .map(|(nth, node)| {
            let (name, steps) = (&context.names[nth].constant, made_steps(context, node));
            quote!(const #name: ::core::option::Option<__rt::StepsOf> = #steps;)
        })
        .collect();
    if constants.is_empty() {
        return None;
    }
    let (_, _, where_clause) = network.generics.split_for_impl();
    let (parameters, holder) = (&network.generics, format_ident!("__Steps"));
    Some(quote! {
        /// How many steps come out of nodes that do not keep them.
        enum #holder #parameters {}
        impl #impl_generics #holder #arguments #where_clause {
            #(#constants)*
        }
    })
}

/// The steps of what a node makes of its inputs.
fn made_steps(context: &Context, node: &Node) -> TokenStream {
    let inputs = context.steps_of_inputs(node);
    match &node.layer {
        Layer::Custom(layer) => {
            quote!(__rt::steps_through(<#layer as __rt::Shaped>::OUTPUT_STEPS, &[#(#inputs),*]))
        }
        Layer::Known { row, arguments } if row.steps == Steps::Kernel => {
            let (rule, input) = (shapes::rule(&quote!(__rt), row, arguments), &inputs[0]);
            quote!(__rt::StepsOf::through(#input, #rule.step_map()))
        }
        Layer::Known { .. } => {
            let ragged = context.network.inputs.iter().map(|input| input.ragged);
            // The compiler points at the call, all tokens of which stand at the layer.
            let [kind, values, shorter] =
                ["__StepsOf", "__values", "__ragged"].map(|name| Ident::new(name, node.span));
            let call = quote_spanned!(node.span=> #kind::joined(&#values, &#shorter));
            quote!({
                use __rt::StepsOf as #kind;
                let (#values, #shorter) = ([#(#inputs),*], [#(#ragged),*]);
                #call
            })
        }
    }
}

/// `const STEPS`, where an input of the node counts the steps of a network's input.
pub(super) fn emit_steps(context: &Context, node: &Node) -> Option<TokenStream> {
    if !node.inputs.iter().any(|input| context.counts_steps(*input)) {
        return None;
    }
    let steps = context.steps_of_inputs(node);
    Some(quote!(const STEPS: &'static [::core::option::Option<__rt::StepsOf>] = &[#(#steps),*];))
}

/// `const OUTPUT_STEPS`, where the network's output counts the steps of an input.
pub(super) fn emit_output_steps(context: &Context) -> Option<TokenStream> {
    let output = context.network.output_value;
    let steps = context.counts_steps(output).then(|| context.steps_of(output))?;
    Some(quote!(const OUTPUT_STEPS: ::core::option::Option<__rt::StepsOf> = #steps;))
}

/// Whether a layer can take its input step by step.
pub(super) fn streams(node: &Node) -> bool {
    match &node.layer {
        Layer::Known { row, arguments } => {
            let values = arguments.iter().map(|argument| argument.stand_in());
            values.collect::<Option<Vec<_>>>().is_some_and(|values| row.streams(&values))
        }
        Layer::Custom(_) => false,
    }
}

/// Whether the network can: all its inputs are sequences, and all its layers can.
pub(super) fn network_streams(context: &Context) -> bool {
    !context.network.has_several_outputs()
        && takes_sequences(context)
        && context.network.nodes.iter().all(streams)
}

pub(super) fn takes_sequences(context: &Context) -> bool {
    context.network.inputs.iter().all(|input| context.counts_steps(input.value))
}

/// The number of elements of one step of a value.
pub(super) fn step_len(context: &Context, value: ValueId) -> TokenStream {
    let dims = &context.network.values[value.0].dims;
    if !context.counts_steps(value) {
        return shapes::len(&quote!(__rt), dims);
    }
    let (len, steps) = (shapes::len(&quote!(__rt), dims), shapes::size(&dims.sizes[0]));
    quote!((#len / #steps))
}
