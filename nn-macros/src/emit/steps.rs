//! Sequences: which values count the steps of an input, and what lies between.

use super::{Context, shapes};
use crate::network::{Layer, Network, Node, ValueId};
use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use unrolled_shape::registry::Steps;

/// Where a value has its steps from.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    /// They are those of an input.
    Input(usize),
    /// A node makes others of its input's: a constant of its name says which.
    Node(usize),
}

/// For each value from where it has its steps; `None` where it is no sequence.
pub(super) fn sources(network: &Network) -> Vec<Option<Source>> {
    let mut sources = vec![None; network.values.len()];
    for (nth, input) in network.inputs.iter().enumerate() {
        sources[input.value.0] = is_sequence(network, nth).then_some(Source::Input(nth));
    }
    for (nth, node) in network.nodes.iter().enumerate() {
        let mut known = node.on_the_line().iter().filter_map(|input| sources[input.0]);
        sources[node.output.0] = known.next().and_then(|first| match &node.layer {
            Layer::Custom(_) => Some(Source::Node(nth)),
            Layer::Known { row, .. } => match row.steps {
                Steps::Kernel => Some(Source::Node(nth)),
                Steps::Each if known.any(|other| other != first) => Some(Source::Node(nth)),
                Steps::Each => Some(first),
                Steps::Valid => network.keeps_rank(node).then_some(first),
                Steps::All => None,
            },
        });
    }
    sources
}

/// An input is a sequence if it may be shorter than its shape, or has steps of features or of tokens.
fn is_sequence(network: &Network, nth: usize) -> bool {
    let input = &network.inputs[nth];
    let rank = network.values[input.value.0].dims.sizes.len();
    input.ragged || rank == 2 || (rank == 1 && input.index)
}

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
