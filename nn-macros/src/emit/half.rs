//! Which weights are widened from half precision at the same time.

use super::context::{Context, widened_name};
use crate::fusion::{Fused, fusion};
use crate::network::Node;
use proc_macro2::TokenStream;
use quote::quote;
use unrolled_shape::Fusion;

/// The nodes whose weights are widened together, before the code of the node `index`: those that are computed together with
/// it but do not widen their own, and the owner of a weight that it uses. `None` for a node that widens its own.
pub(super) fn widened_together(context: &Context, index: usize, node: &Node) -> Option<Vec<usize>> {
    let weighted = |node: &usize| context.network.nodes[*node].has_weights();
    if let Some(fused) = context.plan.fused.iter().find(|it| it.last() == index) {
        let own = widens_own(context, fused);
        let others = fused.nodes().filter(|node| Some(*node) != own);
        return Some(others.filter(weighted).collect());
    }
    let owner = node.owner?;
    Some([owner, index].into_iter().filter(weighted).collect())
}

/// The convolution of a group that widens its weights itself: one alone, with the layers after it.
pub(super) fn widens_own(context: &Context, fused: &Fused) -> Option<usize> {
    let pooled = matches!(fusion(&context.network.nodes[fused.last()]), Fusion::Largest(_));
    match &fused.stages[..] {
        [stage] if !pooled => Some(stage.first()),
        _ => None,
    }
}

/// `let (weights2, widened) = __Slots::CONV1.widen(halves, widened);` for each of the nodes.
pub(super) fn emit_widened(context: &Context, nodes: &[usize]) -> TokenStream {
    let each = nodes.iter().map(|&node| {
        let (name, slot) = (widened_name(node), context.slot(node));
        quote!(let (#name, widened) = #slot.widen(halves, widened);)
    });
    quote! {
        let widened = &mut *widened;
        #(#each)*
    }
}

/// Elements of the weights that are widened for the node `index`; 0 where another node has them.
pub(super) fn widened_len(context: &Context, index: usize, node: &Node) -> TokenStream {
    if let Some(nodes) = widened_together(context, index, node) {
        let lens = nodes.iter().map(|&node| {
            let slot = context.slot(node);
            quote!(+ #slot.layout.weights.len)
        });
        let fused = context.plan.fused.iter().find(|it| it.last() == index);
        let own = fused.and_then(|fused| widens_own(context, fused));
        let own = own.map(|node| own_len(context, node)).into_iter();
        return quote!(0 #(#lens)* #(+ #own)*);
    }
    if !node.has_weights() || context.plan.fused.iter().any(|it| it.hides(index)) {
        return quote!(0);
    }
    own_len(context, index)
}

/// Elements of the weights that a node widens itself.
fn own_len(context: &Context, node: usize) -> TokenStream {
    let (layer, spec) = (context.layer(node), context.spec(node));
    quote!(<#layer as __rt::Node<#spec>>::WIDENED)
}
