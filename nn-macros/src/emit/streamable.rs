//! Whether a network can run step by step, and the sizes of a single step.

use super::context::Context;
use super::forward::Inference;
use super::shapes;
use crate::network::{Dims, Layer, Node, ValueId};
use proc_macro2::TokenStream;
use quote::quote;
use syn::Type;

/// Whether a layer can process its input step by step.
fn streams(context: &Context, node: &Node) -> bool {
    match &node.layer {
        // All that a step needs is in it.
        _ if node.per_step.is_some() || node.ends_steps() => true,
        _ if node.begins_steps() => context.counts_steps(node.inputs[0]),
        Layer::Known { row, arguments } => {
            let values = arguments.iter().map(|argument| argument.stand_in());
            values.collect::<Option<Vec<_>>>().is_some_and(|values| row.streams(&values))
        }
        // Its type knows, not the macro: see `own_layers`.
        Layer::Custom(_) => node.inputs.iter().all(|input| context.counts_steps(*input)),
    }
}

/// Whether the network can run step by step: all its inputs are sequences, and all its layers can.
pub(super) fn network_streams(context: &Context) -> bool {
    !context.network.has_several_outputs()
        && takes_sequences(context)
        && context.network.nodes.iter().all(|node| streams(context, node))
}

pub(super) fn takes_sequences(context: &Context) -> bool {
    context.network.inputs.iter().all(|input| context.counts_steps(input.value))
}

/// The types of the user's that a step runs through, with the indices of their nodes: whether the network can run step by step
/// depends on them. Those in a `PerStep` see whole values.
pub(super) fn own_layers<'a>(context: &'a Context) -> impl Iterator<Item = (usize, &'a Type)> {
    context.running().filter_map(|(index, node)| match &node.layer {
        Layer::Custom(layer) if node.per_step.is_none() => Some((index, &**layer)),
        _ => None,
    })
}

/// The first layer of a network of sequences that needs whole sequences.
pub(super) fn whole<'a>(context: &Context<'a>) -> Option<&'a Node> {
    let mut nodes = context.network.nodes.iter();
    nodes.find(|node| !streams(context, node)).filter(|_| takes_sequences(context))
}

/// The number of elements of one step of a value.
pub(super) fn step_len(context: &Context, value: ValueId) -> TokenStream {
    let dims = &context.network.values[value.0].dims;
    if !context.counts_steps(value) {
        let len = shapes::len(&quote!(__rt), dims);
        return context.in_samples(len, context.network.per_step(value), Inference::Step);
    }
    let (len, steps) = (shapes::len(&quote!(__rt), dims), dims.first().as_ref().map(shapes::size));
    quote!((#len / #steps))
}

/// The type of one step of a value with these sizes.
pub(super) fn step_type(
    context: &Context,
    value: ValueId,
    (element, dims): (&str, &Dims),
) -> TokenStream {
    let mut dims = dims.clone();
    if context.counts_steps(value) {
        // The first axis counts the steps.
        dims.sizes.remove(0);
    }
    shapes::array_type(element, &dims)
}
