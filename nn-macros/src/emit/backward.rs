//! The backward pass of training: the nodes in reverse order.

use super::buffers::{Views, buffer_names};
use super::context::Context;
use super::forward::{Pass, by_phase, emit_combine};
use crate::network::Node;
use crate::plan::{Flow, Location, Need, Plan};
use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};
use std::collections::BTreeSet;
use unrolled_shape::registry::Storage;

/// `backward` and `combine_backward`.
pub(super) fn emit_backward(context: &Context) -> TokenStream {
    let backward = emit_pass(context);
    let combine = emit_combine(context, Pass::Backward);
    quote!(#backward #combine)
}

fn emit_pass(context: &Context) -> TokenStream {
    let turbofish = &context.turbofish;
    let names = buffer_names(context, &context.plan.train);
    let segments = by_phase(context, Pass::Backward, |node, phase| {
        let it = &context.network.nodes[node];
        let code = if it.storage() == Storage::InPlace {
            in_place_node(context, &names, node)
        } else {
            separate_node(context, &names, node, phase)
        };
        match emit_end(context, node) {
            // A block where `by_phase` puts an `if` before it.
            Some(end) if it.may_cross() => quote!({ #end #code }),
            end => quote!(#end #code),
        }
    });
    let inputs = (0..context.network.inputs.len()).map(d_input);
    let asked = emit_asked(context);
    let copy = context.plan.copied.map(|input| {
        let input = d_input(input);
        quote! {
            if let __rt::Some(d) = #input { d.copy_from_slice(d_y); }
        }
    });
    quote! {
        fn backward_shard(&self, call: __rt::Backward<'_, '_>) {
            let __rt::Backward { pass, phase, x, y, d_y, d_x, ctx } = call;
            let n = pass.n;
            let outer = ctx.lengths;
            let (values, mut ctx) = ctx.split_values(n * __Train #turbofish::VALUES);
            ctx.lengths = outer.inside::<__S>();
            let [#(#inputs),*] = d_x else { ::core::panic!("one gradient for each input") };
            #asked
            #copy
            #segments
        }
    }
}

/// The end of the backward pass before node `index` (a node and those before it) where all weights up to it are frozen. Only
/// where that may have changed: after a node with weights, and at a node that a phase begins with.
fn emit_end(context: &Context, index: usize) -> Option<TokenStream> {
    let mut after = context.running().skip_while(|(node, _)| *node <= index);
    let (_, after) = after.next()?;
    if !after.owns_weights() && !context.network.nodes[index].may_cross() {
        return None;
    }
    let (last, _) = context.weighted().take_while(|(node, _)| *node <= index).last()?;
    let slot = context.train_slot(last);
    Some(quote!(if #slot.ends_backward(&ctx) { return; }))
}

/// The variable with the caller's slice for the gradient of an input, an `Option`.
fn d_input(input: usize) -> Ident {
    format_ident!("d_x{input}")
}

/// The variable that states whether the gradient of an input is requested. It is separate, because the slice itself may be
/// borrowed when the question comes up.
fn asked(input: usize) -> Ident {
    format_ident!("asked_x{input}")
}

/// Definitions of these variables, of those that are used.
fn emit_asked(context: &Context) -> TokenStream {
    let Plan { needs, flows, .. } = &context.plan;
    // Only those: an unused variable would be a warning in the user's program.
    let contributions = context.running().flat_map(|(index, node)| {
        let flows = flows[index].iter().zip(&node.inputs);
        let more = flows.filter(|(flow, _)| matches!(flow, Flow::More { .. }));
        more.map(|(_, input)| &needs[input.0])
    });
    let outputs = context.running().map(|(_, node)| &needs[node.output.0]);
    let used: BTreeSet<usize> = outputs
        .chain(contributions)
        .filter_map(|need| match need {
            Need::IfRequested(inputs) => Some(inputs),
            Need::Never | Need::Always => None,
        })
        .flatten()
        .copied()
        .collect();
    let (names, inputs) =
        (used.iter().map(|&input| asked(input)), used.iter().map(|&it| d_input(it)));
    quote!(#(let #names = #inputs.is_some();)*)
}

fn separate_node(
    context: &Context,
    names: &[Ident],
    index: usize,
    phase: &TokenStream,
) -> TokenStream {
    let node = &context.network.nodes[index];
    if is_unneeded(context, node) {
        // A block all the same: `by_phase` may put an `if` before it.
        return quote!({});
    }
    let mut views = Views::new(context, "__Train", names);
    let layout = &context.plan.train;
    let location = |value: usize| layout.values[value].expect("every value has a location");
    let needs = node.needs();
    let inputs: Vec<TokenStream> = node
        .inputs
        .iter()
        .enumerate()
        .map(|(nth, input)| match needs.input {
            true => views.read(location(input.0), &format!("x{nth}")),
            // By now its memory may have been overwritten: the plan keeps only what backward reads.
            false => quote!(&[]),
        })
        .collect();
    let output = match needs.output {
        true => views.read(location(node.output.0), "out"),
        false => quote!(&[]),
    };
    let d_out = d_out(context, &mut views, node);
    let mut adding = TokenStream::new();
    let d_inputs: Vec<TokenStream> = (0..node.inputs.len())
        .map(|nth| {
            let (d_input, more) = d_input_of(context, &mut views, index, nth);
            adding.extend(more);
            d_input
        })
        .collect();
    // Phase 0 is the last one backward: only then is the gradient that is added complete.
    if !adding.is_empty() && node.may_cross() {
        adding = quote!(if #phase == 0 { #adding });
    }
    let taken = views.emit();
    let (slot, value, ctx) = (context.train_slot(index), context.value(index), context.ctx(index));
    let call = quote! {
        #taken
        let d_x = &mut [#(#d_inputs),*];
        #slot.backward(&#value, pass, #phase, &[#(#inputs),*], #output, #d_out, d_x, #ctx);
        #adding
    };
    if_asked(context, node, call)
}

fn in_place_node(context: &Context, names: &[Ident], index: usize) -> TokenStream {
    let node = &context.network.nodes[index];
    if is_unneeded(context, node) {
        return quote!({});
    }
    let mut views = Views::new(context, "__Train", names);
    let output = match node.needs().output {
        true => {
            let location = context.plan.train.values[node.output.0];
            views.read(location.expect("every value has a location"), "out")
        }
        false => quote!(&[]),
    };
    let d_out = d_out(context, &mut views, node);
    // The node overwrites the gradient of its output with that of its input, which then goes to its own memory, if it
    // has any.
    let passed_on = match context.plan.flows[index][0] {
        Flow::Unneeded | Flow::Same => None,
        Flow::First(location) => {
            Some(to_gradient(&mut views, location, |d| quote!(#d.copy_from_slice(#d_out);)))
        }
        Flow::More { to, .. } => {
            Some(to_gradient(&mut views, to, |d| quote!(__rt::add_to(#d, #d_out);)))
        }
    };
    let taken = views.emit();
    let (slot, value) = (context.train_slot(index), context.value(index));
    let call = quote! {
        #taken
        #slot.backward(&#value, pass, #output, #d_out);
        #passed_on
    };
    if_asked(context, node, call)
}

/// The gradient of a node's output, mutable.
fn d_out(context: &Context, views: &mut Views, node: &Node) -> TokenStream {
    match context.plan.train.gradients[node.output.0] {
        Some(Location::Buffer(buffer)) => {
            let variable = views.take(buffer, "d_out");
            quote!(#variable)
        }
        Some(Location::Output) => quote!(d_y),
        Some(Location::Input(_)) | None => unreachable!("every node's output is used"),
    }
}

/// The slice for the gradient of a node's input `nth`, an `Option`; and the code that adds it to a sum afterwards.
fn d_input_of(
    context: &Context,
    views: &mut Views,
    index: usize,
    nth: usize,
) -> (TokenStream, Option<TokenStream>) {
    let input = context.network.nodes[index].inputs[nth];
    let need = &context.plan.needs[input.0];
    let name = format!("d_in{nth}");
    match context.plan.flows[index][nth] {
        Flow::Unneeded => (quote!(__rt::None), None),
        Flow::First(Location::Input(input)) => {
            let d_input = d_input(input);
            (quote!(#d_input.as_deref_mut()), None)
        }
        Flow::First(Location::Buffer(buffer)) => {
            let variable = views.take(buffer, &name);
            (wanted(need, &quote!(&mut *#variable)), None)
        }
        Flow::More { to, by: Some(by) } => {
            let variable = views.take(by, &name);
            // Added after the call, to which the slice is only lent: `&mut *`.
            let more = to_gradient(views, to, |d| quote!(__rt::add_to(#d, #variable);));
            (wanted(need, &quote!(&mut *#variable)), Some(more))
        }
        flow => unreachable!("no flow of a node with its own output: {flow:?}"),
    }
}

/// `action` on the gradient at a location, if it is requested.
fn to_gradient(
    views: &mut Views,
    location: Location,
    action: impl Fn(TokenStream) -> TokenStream,
) -> TokenStream {
    match location {
        Location::Buffer(buffer) => {
            let variable = views.take(buffer, "d_sum");
            action(quote!(#variable))
        }
        Location::Output => action(quote!(d_y)),
        Location::Input(input) => {
            let (d_input, action) = (d_input(input), action(quote!(d)));
            quote!(if let __rt::Some(d) = #d_input { #action })
        }
    }
}

/// `Some(slice)`, if the gradient is needed.
fn wanted(need: &Need, slice: &TokenStream) -> TokenStream {
    match condition(need) {
        Some(asked) => quote!((#asked).then_some(#slice)),
        None => quote!(__rt::Some(#slice)),
    }
}

/// The condition under which a gradient is needed that only leads to the network's inputs.
fn condition(need: &Need) -> Option<TokenStream> {
    let Need::IfRequested(inputs) = need else { return None };
    let inputs = inputs.iter().map(|&input| asked(input));
    Some(quote!(#(#inputs)||*))
}

fn is_unneeded(context: &Context, node: &Node) -> bool {
    context.plan.needs[node.output.0] == Need::Never
}

/// A block that runs only if the gradient through a node without weights is needed.
fn if_asked(context: &Context, node: &Node, code: TokenStream) -> TokenStream {
    match condition(&context.plan.needs[node.output.0]) {
        Some(asked) => quote!({ if #asked { #code } }),
        None => quote!({ #code }),
    }
}
