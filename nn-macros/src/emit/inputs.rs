//! The inputs of a network as parameters of its methods.

use super::context::Context;
use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

/// A parameter of one reference for each input: its pattern, its type, and the references.
pub(super) fn by_reference(
    context: &Context,
    types: &[TokenStream],
) -> (TokenStream, TokenStream, Vec<TokenStream>) {
    if let [kind] = types {
        return (quote!(input), quote!(&#kind), vec![quote!(input)]);
    }
    let names: Vec<Ident> = input_names(context);
    let inputs = names.iter().map(|name| quote!(#name)).collect();
    (quote!((#(#names),*)), quote!((#(&#types),*)), inputs)
}

/// The names of inputs as variables.
fn input_names(context: &Context) -> Vec<Ident> {
    let inputs = context.network.inputs.iter().enumerate();
    inputs
        .map(|(nth, input)| input.name.clone().unwrap_or_else(|| format_ident!("input{nth}")))
        .collect()
}
