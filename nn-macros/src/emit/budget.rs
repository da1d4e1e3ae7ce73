//! `#[fits(flash = 256K, ram = 64K)]`: checks that the compiler evaluates, since it knows the working memory of layers.

use super::constants::expect;
use super::context::Context;
use super::forward::Inference;
use super::half::widened_len;
use super::memory::buffer_len;
use super::shapes;
use crate::ast::Budget;
use crate::fusion::Fused;
use crate::network::{Node, ValueId};
use proc_macro2::TokenStream;
use quote::quote;
use unrolled_shape::registry::Storage;

/// The checks, inside the unnamed constant. Networks with a budget have no const generics.
pub(super) fn emit_budget(context: &Context, half: bool) -> Option<TokenStream> {
    let Budget { flash, ram } = context.network.budget.as_ref()?;
    let rt = quote!(__rt);
    let layers =
        context.running().filter_map(|(index, node)| layer_memory(context, half, index, node));
    let check = |limit: &crate::ast::Limit, result: TokenStream| {
        let check = expect(&rt, limit.span, &result, "", &quote!(__rt::Text::new()));
        quote!(const _: __rt::Shape = #check;)
    };
    let bytes_of_weight = shapes::number(if half { 2 } else { 4 });
    let flash = flash.as_ref().map(|limit| {
        let bytes = shapes::number(limit.bytes);
        check(limit, quote!(__rt::check_flash(__MEMORY, #bytes_of_weight, #bytes)))
    });
    let ram = ram.as_ref().map(|limit| {
        let (name, bytes) = (&context.network.name, shapes::number(limit.bytes));
        let outside = values_outside(context);
        let workspace = match half {
            true => quote!(__rt::Half::<#name>::WORKSPACE_LEN),
            false => quote!(<#name as __rt::InferenceExt>::WORKSPACE_LEN),
        };
        let needed = quote!(#workspace #(+ #outside)*);
        check(limit, quote!(__rt::check_ram(__MEMORY, #needed, #bytes)))
    });
    Some(quote! {
        const __MEMORY: &[__rt::LayerMemory] = &[#(#layers),*];
        #flash
        #ram
    })
}

/// What a layer uses, with those that are computed together with it. `None` for one that works in place, or whose output is
/// never stored.
fn layer_memory(context: &Context, half: bool, index: usize, node: &Node) -> Option<TokenStream> {
    let fused = &context.plan.fused;
    let chain = fused.iter().find(|it| it.last() == index);
    let in_place = chain.is_none() && node.storage() == Storage::InPlace;
    if in_place || fused.iter().any(|it| it.hides(index)) {
        return None;
    }
    let nodes: Vec<usize> = chain.map_or(vec![index], |it| it.nodes().collect());
    let label = &context.network.nodes[nodes[0]].label;
    let len = |value: &ValueId| {
        let len = shapes::len(&quote!(__rt), &context.network.values[value.0].dims);
        context.in_samples(len, context.network.per_step(*value), Inference::Whole)
    };
    let inputs = chain.map_or(node.inputs.clone(), Fused::inputs);
    let inputs = inputs.iter().map(len);
    let output = len(&node.output);
    let is_live = |buffer: &&crate::plan::Buffer| buffer.from <= index && index <= buffer.to;
    let live = context.plan.infer.buffers.iter().filter(is_live);
    let live = live.map(|buffer| buffer_len(context, buffer));
    let outside = values_outside(context);
    let (mut layouts, mut weights) = (Vec::new(), quote!(0));
    for node in nodes {
        let (it, spec, layer) =
            (&context.network.nodes[node], context.spec(node), context.layer(node));
        if it.storage() != Storage::InPlace {
            let per_step = context.per_step(it.per_step).into_iter();
            layouts.push(quote!(__rt::Layout::of::<#spec, #layer>() #(.per_step(#per_step))*));
        }
        if it.first.is_none() {
            weights.extend(quote!(+ <#layer as __rt::Weights>::LEN));
        }
    }
    // All of them use the same working memory, as all layers of a network do.
    let last = shapes::number(layouts.len() - 1);
    let widened = half.then(|| widened_len(context, index, node)).into_iter();
    Some(quote! {
        __rt::LayerMemory {
            layer: #label,
            input: 0 #(+ #inputs)*,
            output: #output,
            values: 0 #(+ #live)* #(+ #outside)*,
            working: __rt::Layout::stack([#(#layouts),*])[#last].working() #(+ #widened)*,
            weights: #weights,
        }
    })
}

/// The elements of the network's inputs and outputs, which belong to the caller.
fn values_outside(context: &Context) -> Vec<TokenStream> {
    let network = context.network;
    let inputs = network.inputs.iter().map(|input| input.value);
    let values = inputs.chain([network.output_value]);
    values.map(|value| shapes::len(&quote!(__rt), &network.values[value.0].dims)).collect()
}
