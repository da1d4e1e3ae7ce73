//! Any tokens after `network!`: the macro does not panic, and expands to a list of items.
//!
//! An input is the text itself, or, where it begins with a zero byte, the choices by which one of the networks of `GOOD` is
//! changed: text that is changed letter by letter seldom stays a network.
#![no_main]
#![allow(
    dead_code,
    unused_imports,
    reason = "the target calls one function of the crate that it includes"
)]

use libfuzzer_sys::{Corpus, fuzz_target};
use proc_macro2::{TokenStream, TokenTree};

include!(concat!(env!("OUT_DIR"), "/modules.rs"));

#[path = "../../nn-macros/src/tests/changes.rs"]
mod changes;

fuzz_target!(|bytes: &[u8]| -> Corpus {
    let tokens = match bytes.split_first() {
        Some((0, choices)) => changed(choices),
        _ => str::from_utf8(bytes).ok().and_then(|text| text.parse().ok()),
    };
    let Some(tokens) = tokens else { return Corpus::Reject };
    let tokens = quote::quote!(krate; #tokens);
    // One set of features for each input, and not all: three times as many inputs in the same time.
    let (std, train) = [(true, true), (true, false), (false, false)][bytes.len() % 3];
    let code = expand::expand(tokens.clone(), network::Features { std, train });
    if let Err(error) = syn::parse2::<syn::File>(code.clone()) {
        panic!("{error} in\n{code}\nfrom\n{tokens}");
    }
    Corpus::Keep
});

/// A changed network. Each choice takes two bytes; without more bytes, all choices are 0.
fn changed(bytes: &[u8]) -> Option<TokenStream> {
    let mut pairs = bytes.chunks_exact(2);
    let mut below = |end: usize| {
        let choice =
            pairs.next().map_or(0, |pair| usize::from(u16::from_le_bytes([pair[0], pair[1]])));
        choice % end
    };
    thread_local! {
        static POOL: Vec<TokenTree> = changes::pool();
    }
    Some(POOL.with(|pool| changes::random_tokens(&mut below, pool)))
}
