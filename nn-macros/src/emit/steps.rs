//! Sequences: the steps of values as constants.

use super::context::Context;
use super::shapes;
use super::step_sources::Source;
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
            None => quote!(__rt::None),
            Some(Source::Input(nth)) => {
                let nth = shapes::number(nth);
                quote!(__rt::Some(__rt::StepsOf::input(#nth)))
            }
            Some(Source::Node(nth)) => self.constant("__Steps", &self.names[nth].constant),
        }
    }

    fn steps_of_inputs(&self, node: &Node) -> Vec<TokenStream> {
        node.inputs.iter().map(|input| self.steps_of(*input)).collect()
    }
}

/// `__Steps`: the output steps of nodes that change their number.
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
            quote!(const #name: __rt::Option<__rt::StepsOf> = #steps;)
        })
        .collect();
    if constants.is_empty() {
        return None;
    }
    let (_, _, where_clause) = network.generics.split_for_impl();
    let (parameters, holder) = (&network.generics, format_ident!("__Steps"));
    Some(quote! {
        /// The output steps of nodes that change their number.
        enum #holder #parameters {}
        impl #impl_generics #holder #arguments #where_clause {
            #(#constants)*
        }
    })
}

/// The output steps of a node.
fn made_steps(context: &Context, node: &Node) -> TokenStream {
    let inputs = context.steps_of_inputs(node);
    match &node.layer {
        Layer::Custom(layer) => {
            quote!(__rt::steps_through(<#layer as __rt::Shaped>::OUTPUT_STEPS, &[#(#inputs),*]))
        }
        Layer::Known { row, arguments } if row.steps == Steps::Kernel => {
            let rule = shapes::rule(&quote!(__rt), row, arguments);
            let shape = &context.network.values[node.inputs[0].0].dims;
            let (shape, input) = (shapes::shape(&quote!(__rt), shape), &inputs[0]);
            quote!(__rt::StepsOf::through(#input, #rule.step_map(#shape)))
        }
        Layer::Known { .. } => {
            // A join: the steps of all branches, which must be the same where sequences may be short.
            let ragged = context.network.inputs.iter().map(|input| input.ragged);
            // The compiler points at the call, whose tokens all have the layer's span.
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
    // Most nodes of a network of sequences have this one.
    if let [input] = &node.inputs[..]
        && context.steps[input.0] == Some(Source::Input(0))
    {
        return Some(quote!(
            const STEPS: __rt::StepsOfInputs = __rt::OF_FIRST_INPUT;
        ));
    }
    let steps = context.steps_of_inputs(node);
    Some(quote!(const STEPS: __rt::StepsOfInputs = &[#(#steps),*];))
}

/// `const OUTPUT_STEPS`, where the network's output counts the steps of an input.
pub(super) fn emit_output_steps(context: &Context) -> Option<TokenStream> {
    let output = context.network.output_value;
    let steps = context.counts_steps(output).then(|| context.steps_of(output))?;
    Some(quote!(const OUTPUT_STEPS: __rt::Option<__rt::StepsOf> = #steps;))
}
