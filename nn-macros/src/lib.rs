//! The `network!` macro: tokens -> syntax -> network -> shapes -> code. Use it through `unrolled`.
#![allow(dead_code, reason = "until the stages that use them are here")]

mod derive;
mod network;

/// Makes a `#[repr(C)]` struct of `f32` arrays the weights of a hand-written layer: implements
/// `Weights` and `Parameters`. A field may also be a struct with this derive, or an array of them.
///
/// In a crate that calls `unrolled` something else, `#[weights(crate = something_else)]` says so.
#[proc_macro_derive(Weights, attributes(weights))]
pub fn derive_weights(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    derive::derive_weights(&syn::parse_macro_input!(input as syn::DeriveInput)).into()
}
