//! The `network!` macro, for use through the crate `unrolled`.
//!
//! The pipeline is `expand`: parse -> resolve -> infer shapes -> check -> emit. `parse` makes a syntax tree of
//! tokens, `resolve` a graph of nodes (names looked up, blocks unrolled), `infer_shapes` fills in sizes,
//! `check_lengths` refuses ragged sequences that do not fit, `emit` lets `plan` assign memory and phases, and writes the
//! code.
//!
//! Inside the crate, tokens are those of `proc_macro2`: tests expand text with them, outside of a compiler.

mod arguments;
mod ast;
mod bind_sizes;
mod blocks;
mod c_api;
mod derive;
mod editor;
mod emit;
mod expand;
mod fallback;
mod foreign;
mod fusion;
mod guard;
mod infer_shapes;
mod lengths;
mod levels;
mod lint;
mod literal;
mod network;
mod operand;
mod owner;
mod parse;
mod per_step;
mod plan;
mod pretrained;
mod report;
mod resolve;
mod scope;
mod stand_in;
mod suggest;
#[cfg(test)]
mod tests;
mod trace;
mod unique;

use network::Features;

/// Expands networks for inference and training. The input begins with the path of the facade crate and `;`, which the
/// facade's macro `network!` adds, so that it works whatever that crate is called.
///
/// There is one macro for each set of features of the facade that matters here: the facade re-exports the one that
/// fits, since a procedural macro cannot see the features of another crate.
#[proc_macro]
pub fn network_train(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    expand::expand(input.into(), Features { std: true, train: true }).into()
}

/// As [`network_train!`], for inference alone.
#[proc_macro]
pub fn network_std(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    expand::expand(input.into(), Features { std: true, train: false }).into()
}

/// As [`network_train!`], for inference without `std` and without an allocator.
#[proc_macro]
pub fn network_core(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    expand::expand(input.into(), Features { std: false, train: false }).into()
}

/// Expands `c_api!`. The input begins with the path of the facade crate and `;`.
#[proc_macro]
pub fn c_api_std(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    c_api::expand(input.into(), true).into()
}

/// As [`c_api_std!`], without `std`.
#[proc_macro]
pub fn c_api_core(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    c_api::expand(input.into(), false).into()
}

/// Makes a `#[repr(C)]` struct of `f32` arrays the weights of a hand-written layer: implements
/// `Weights` and `Parameters`. A field may also be a struct with this derive, or an array of them.
///
/// `#[weights(buffer)]` above a field means that it is stored in files but not trained, such as statistics of the data or an
/// `f32` setting. Trained fields come before buffers.
///
/// In a crate that renames `unrolled`, add `#[weights(crate = new_name)]`.
#[proc_macro_derive(Weights, attributes(weights))]
pub fn derive_weights(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    derive::derive_weights(&syn::parse_macro_input!(input as syn::DeriveInput)).into()
}
