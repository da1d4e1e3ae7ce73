//! The samples of layers in a `PerStep`.

use super::context::Context;
use super::forward::Inference;
use super::memory::emit_holder;
use super::shapes;
use proc_macro2::TokenStream;
use quote::quote;
use std::collections::BTreeSet;

impl Context<'_> {
    /// The constant with the samples of the lines of the `PerStep` that begins with this node: `__PerStep::FRAMES`.
    pub(super) fn per_step(&self, begin: Option<usize>) -> Option<TokenStream> {
        Some(self.constant("__PerStep", &self.names[begin?].constant))
    }

    /// `count` for each sample of these lines.
    pub(super) fn in_samples(
        &self,
        count: TokenStream,
        begin: Option<usize>,
        inference: Inference,
    ) -> TokenStream {
        match (self.per_step(begin), inference) {
            (None, _) => count,
            (Some(per_step), Inference::Whole) => quote!(#count * #per_step.samples()),
            (Some(per_step), Inference::Step) => quote!(#count * #per_step.each),
        }
    }
}

/// `__PerStep`: the samples of lines that are applied to each step.
pub(super) fn emit_per_step(context: &Context) -> Option<TokenStream> {
    let network = context.network;
    let begins: BTreeSet<usize> = context.running().filter_map(|(_, node)| node.per_step).collect();
    if begins.is_empty() {
        return None;
    }
    let constants = begins.into_iter().map(|begin| {
        let mut around: Vec<usize> = network.per_steps(Some(begin)).collect();
        let outermost = around.pop().expect("itself");
        let size = |begin: usize| network.steps_of(begin).map(|steps| shapes::size(&steps));
        let (steps, each) = (size(outermost), around.into_iter().filter_map(size));
        let of = context.steps_of(network.nodes[outermost].inputs[0]);
        let name = &context.names[begin].constant;
        quote! {
            const #name: __rt::PerStep = __rt::PerStep { steps: #steps, each: 1 #(* #each)*, of: #of };
        }
    });
    let constants: TokenStream = constants.collect();
    let doc = " The samples of lines that are applied to each step of a sequence.";
    Some(emit_holder(context, "__PerStep", doc, &constants))
}
