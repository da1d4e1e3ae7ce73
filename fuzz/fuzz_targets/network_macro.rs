//! Any tokens after `network!`: the macro does not panic, and expands to a list of items.
#![no_main]
#![allow(dead_code, unused_imports, reason = "the target calls one function of the crate that it includes")]

use libfuzzer_sys::{Corpus, fuzz_target};
use proc_macro2::TokenStream;

include!(concat!(env!("OUT_DIR"), "/modules.rs"));

fuzz_target!(|text: &str| -> Corpus {
    let Ok(tokens) = text.parse::<TokenStream>() else { return Corpus::Reject };
    let tokens = quote::quote!(krate; #tokens);
    for features in [(true, true), (true, false), (false, false)] {
        let features = network::Features { std: features.0, train: features.1 };
        let code = expand::expand(tokens.clone(), features);
        if let Err(error) = syn::parse2::<syn::File>(code.clone()) {
            panic!("{error} in\n{code}\nfrom\n{text}");
        }
    }
    Corpus::Keep
});
