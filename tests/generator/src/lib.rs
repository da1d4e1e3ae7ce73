//! Draws `network!` blocks of all forms of the language from seeds, for the tests of `unrolled`.
//!
//! Layers, options and structure are random, and kept where the rules of nn-shape accept them, so that every row of
//! the registry is drawn.

mod describe;
mod draw;
mod evaluate;
mod network;
mod print;
mod rng;
#[cfg(test)]
mod tests;

use proc_macro::{Delimiter, Group, TokenStream, TokenTree};
use std::fmt::Write;
use std::ops::Range;

use evaluate::{Node, evaluate};

/// The environment variable that is added to all seeds.
const SEED: &str = "UNROLLED_RANDOM_SEED";

/// `random_networks! { 0..60 }`: for each seed a module `seed_17` with the networks of this seed, and
/// a test that calls `crate::random::check::<Net>(&Case { .. })`.
#[proc_macro]
pub fn random_networks(input: TokenStream) -> TokenStream {
    let seeds = parse_range(&input.to_string()).expect("a range of seeds: `0..60`");
    let base = std::env::var(SEED).map_or(0, |base| base.parse().expect("a number as seed"));
    // Makes cargo compile the tests again when the variable changes.
    let mut code = format!("const _: Option<&str> = option_env!({SEED:?});\n");
    for seed in seeds {
        write_module(&mut code, base + seed);
    }
    code.parse().expect("tokens")
}

/// Gives a struct other fields, after macros above it have read its own.
#[proc_macro_attribute]
pub fn fields(fields: TokenStream, item: TokenStream) -> TokenStream {
    let replaced = |tree: TokenTree| match tree {
        TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => {
            Group::new(Delimiter::Brace, fields.clone()).into()
        }
        other => other,
    };
    item.into_iter().map(replaced).collect()
}

fn parse_range(text: &str) -> Option<Range<u64>> {
    let (first, end) = text.split_once("..")?;
    Some(first.trim().parse().ok()?..end.trim().parse().ok()?)
}

fn write_module(code: &mut String, seed: u64) {
    let file = draw::draw(seed);
    let source = print::print(&file);
    let network = file.networks.last().expect("a network");
    let nodes = evaluate(&file, network).expect("a network that was drawn");
    let description = describe::describe(&file, network);
    let kind = print::network_type(network);
    let _ = write!(
        code,
        "mod seed_{seed} {{
            #[allow(unused_imports, reason = \"not all networks have constants\")]
            use crate::random::constants::*;
            unrolled::network! {{ {source} }}
            #[test]
            fn holds() {{
                crate::random::check::<{kind}>(&crate::random::Case {{
                    seed: {seed},
                    source: {source:?},
                    description: {description:?},
                    layers: &{},
                }});
            }}
        }}\n",
        nodes_text(&nodes),
    );
}

fn nodes_text(nodes: &[Node]) -> String {
    let one = |node: &Node| {
        let Node { kind, output, params, buffers, macs, inner, again } = node;
        // The layers of a network are listed once.
        let inner = if *again { &[] } else { &inner[..] };
        let (output, inner) = (output.dims(), nodes_text(inner));
        format!(
            "crate::random::ExpectedLayer {{ kind: {kind:?}, output: &{output:?}, params: {params}, \
             buffers: {buffers}, macs: {macs}, inner: &{inner} }}"
        )
    };
    let all: Vec<String> = nodes.iter().map(one).collect();
    format!("[{}]", all.join(", "))
}
