//! No tokens whatever make the macro panic, and what it gives is always a list of items.

use proc_macro2::TokenStream;
use quote::quote;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::changes::{GOOD, pool, random_tokens};
use crate::editor::emit_view;
use crate::expand::expand;
use crate::network::Features;
use crate::parse::parse;
use crate::report::Report;

/// A small generator of numbers (xorshift), so that a failure can be repeated.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % end as u64).expect("less than a usize")
    }
}

/// Expands, and looks whether the result is a list of items.
#[track_caller]
fn check(tokens: &TokenStream) {
    let text = tokens.to_string();
    let expanded = catch_unwind(AssertUnwindSafe(|| {
        let code = expand(quote!(krate; #tokens), Features { std: true, train: true });
        let view = emit_view(&quote!(krate), &parse(tokens.clone(), &mut Report::default()));
        quote!(#view #code)
    }));
    let code = expanded.unwrap_or_else(|_| panic!("this makes it panic:\n{text}"));
    if let Err(error) = syn::parse2::<syn::File>(code.clone()) {
        panic!("{error} in\n{code}\nfrom\n{text}");
    }
}

#[test]
fn networks_without_mistakes() {
    for text in GOOD {
        assert_eq!(super::messages(text), []);
    }
}

/// The editor's view, and constants, have values of the user's at the beginning of an expression.
#[test]
fn arguments_that_begin_with_a_keyword() {
    for line in
        ["LSTM(crate output = last)", "Dense(crate)", "Repeat(crate) { ReLU }", "same(crate)"]
    {
        check(&format!("struct Net(4x4) -> 4 {{ {line}, Dense(4) }}").parse().expect("tokens"));
    }
    check(&quote!(struct Net(4) -> 4 { Dense(crate(3, 3)), Dense(4) }));
}

/// An input without axes, that of a line with a mistake, beside one of a type of the user's: found by the fuzz target.
#[test]
fn inputs_of_lines_with_mistakes() {
    check(&quote! {
        block Up(skip, n) { Add { { Dense(n) }, skip => { Tanh } }, MyLayer }
        struct Twice(a: 5x4, b: ..5x4) -> 5x4 {
            mix: Add { a => { fc: Dense(ReLU 4) }, b },
            look: a => MultiHeadAttention(2, memory = b),
            up: block mix => Up(look, 4),
            looks: up => same(look, memory = mix),
        }
    });
}

#[test]
fn changed_networks() {
    let pool = pool();
    let mut numbers = Numbers(0x2545_f491_4f6c_dd1d);
    for _ in 0..500 {
        check(&random_tokens(&mut |end| numbers.below(end), &pool));
    }
}
