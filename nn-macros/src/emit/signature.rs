//! The inputs of a network as parameters of functions.

use super::context::Context;
use super::shapes;
use crate::unique::Unique;
use proc_macro2::{Ident, TokenStream};
use quote::quote;
use syn::ext::IdentExt;

/// The inputs as one parameter of references: its pattern, its type, and the references.
pub(super) fn by_reference(
    context: &Context,
    types: &[TokenStream],
) -> (TokenStream, TokenStream, Vec<TokenStream>) {
    // A single input may have no name.
    if let [kind] = types {
        return (quote!(input), quote!(&#kind), vec![quote!(input)]);
    }
    let names: Vec<Ident> = input_names(context);
    let inputs = names.iter().map(|name| quote!(#name)).collect();
    (quote!((#(#names),*)), quote!((#(&#types),*)), inputs)
}

/// The type of each input: an array, or a sequence of steps.
pub(super) fn input_types(context: &Context) -> Vec<TokenStream> {
    let inputs = context.network.inputs.iter();
    inputs
        .map(|input| {
            let element = if input.index { "u32" } else { "f32" };
            let dims = &context.network.values[input.value.0].dims;
            let krate = &context.network.krate;
            shapes::input_type(&quote!(#krate::__private), element, dims, input.ragged)
        })
        .collect()
}

/// The names of inputs as variables.
fn input_names(context: &Context) -> Vec<Ident> {
    // `step` and `step_in` have parameters of these names.
    let mut unique = Unique::new(&["state", "workspace"]);
    let names = context.network.inputs.iter().filter_map(|input| input.name.as_ref());
    names.map(|name| unique.identifier(&name.unraw().to_string(), name.span())).collect()
}
