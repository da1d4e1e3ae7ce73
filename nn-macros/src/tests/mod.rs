//! From tokens to a checked graph, and what is said about mistakes on the way.

mod again;
mod any_tokens;
mod arguments;
mod blocks;
mod changes;
mod deployment;
mod docs;
mod expansion;
mod graph;
mod habits;
mod limits;
mod lints;
mod named;
mod names;
mod per_step;
mod shapes;
mod sizes;
mod stubs;
mod syntax;

use proc_macro2::TokenStream;
use unrolled_shape::registry::{ROWS, Row};

use crate::expand::expand_networks;
use crate::guard::check_depth;
use crate::infer_shapes::infer_shapes;
use crate::lint::Warnings;
use crate::network::{Dim, Network, ValueId};
use crate::network::{Facade, Features};
use crate::parse::parse;
use crate::report::Report;
use crate::report::mistake::tidy;
use crate::resolve::{resolve, resolve_names};

/// The mistakes in a `network!`: the token that each points at, and what it says.
#[track_caller]
fn messages(text: &str) -> Vec<(String, String)> {
    expansion(text).0.messages()
}

/// The mistakes in a `network!`, its warnings, and the text of its code.
#[track_caller]
fn expansion(text: &str) -> (Report, Warnings, String) {
    let (report, warnings, code) = expanded(text);
    (report, warnings, tidy(&code))
}

/// The mistakes in a `network!`, its warnings, and its code.
#[track_caller]
fn expanded(text: &str) -> (Report, Warnings, TokenStream) {
    let tokens: TokenStream = format!("krate; {text}").parse().expect("text of tokens");
    let (mut report, mut warnings) = (Report::default(), Warnings::default());
    let features = Features { std: true, train: true };
    let code = expand_networks(tokens, features, &mut report, &mut warnings);
    let shown = warnings.emit();
    let code = quote::quote!(#code #shown);
    syn::parse2::<syn::File>(code.clone()).expect("code of items");
    (report, warnings, code)
}

/// Asserts the messages: one `(token, message)` for each mistake, in order.
#[track_caller]
fn assert_messages(text: &str, expected: &[(&str, &str)]) {
    let messages = messages(text);
    let found: Vec<(&str, &str)> =
        messages.iter().map(|(at, words)| (at.as_str(), words.as_str())).collect();
    assert_eq!(found, expected, "{text}");
}

/// Asserts that each mistake is reported at that token, and that its message contains the words.
#[track_caller]
fn assert_about(text: &str, expected: &[(&str, &str)]) {
    let messages = messages(text);
    assert_eq!(messages.len(), expected.len(), "{messages:#?}");
    for ((at, message), (token, words)) in messages.iter().zip(expected) {
        assert_eq!(at, token, "{message}");
        assert!(message.contains(words), "{message}");
    }
}

/// Asserts the messages about these lines of a network.
#[track_caller]
fn assert_lines(lines: &str, expected: &[(&str, &str)]) {
    assert_about(&format!("struct Net(28x28x1) -> 10 {{ {lines} }}"), expected);
}

/// The last network of a `network!` without mistakes.
#[track_caller]
pub(crate) fn network(text: &str) -> Network {
    let mut report = Report::default();
    let network = network_with(ROWS, text, &mut report);
    assert_eq!(report.messages(), []);
    network.expect("a network without mistakes")
}

/// The last network of a `network!` that knows these layers.
fn network_with(layers: &[&'static Row], text: &str, report: &mut Report) -> Option<Network> {
    let tokens = check_depth(text.parse().expect("text of tokens"), report);
    let file = parse(tokens, report);
    let mut names = resolve_names(&file, report);
    names.layers = layers;
    let last = file.networks.last().expect("a network");
    let features = Features { std: true, train: true };
    let facade = Facade { krate: quote::quote!(krate), features };
    let network = resolve(&facade, &names, last, report);
    network.map(|network| infer_shapes(network, report))
}

impl Network {
    /// The paths of all nodes and what they give.
    fn lines(&self) -> Vec<String> {
        let line =
            |node: &crate::network::Node| format!("{} {}", node.path, self.shape(node.output));
        self.nodes.iter().map(line).collect()
    }

    fn shape(&self, value: ValueId) -> String {
        let dims = &self.values[value.0].dims;
        let sizes = dims.sizes.iter().map(|size| match size {
            Dim::Known(size) => size.to_string(),
            Dim::Symbolic(tokens) | Dim::Computed(tokens) => tidy(tokens),
            Dim::Bound(size) => size.written.clone(),
        });
        let sizes: Vec<String> = sizes.collect();
        let unknown = if dims.constant.is_some() { "..x" } else { "" };
        format!("{unknown}{}", sizes.join("x"))
    }

    /// What each node reads, by the paths of what gave it; inputs by their names.
    fn reads(&self, path: &str) -> Vec<String> {
        let node = self.nodes.iter().find(|it| it.path == path).expect("a node");
        let name = |value: &ValueId| {
            let node = self.nodes.iter().find(|it| it.output == *value);
            let input = self.inputs.iter().find(|it| it.value == *value);
            match (node, input) {
                (Some(node), _) => node.path.clone(),
                (None, Some(input)) => {
                    input.name.as_ref().map_or(String::from("input"), ToString::to_string)
                }
                (None, None) => panic!("a value from nowhere"),
            }
        };
        node.inputs.iter().map(name).collect()
    }
}
