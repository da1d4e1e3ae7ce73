//! Sizes that are constants of the user's.

use proc_macro2::{TokenStream, TokenTree};

use super::expanded;

/// How often a name is in the code. Not in the text of documentation.
fn count(code: &TokenStream, name: &str) -> usize {
    let one = |tree| match tree {
        TokenTree::Ident(ident) => usize::from(ident == name),
        TokenTree::Group(group) => count(&group.stream(), name),
        _ => 0,
    };
    code.clone().into_iter().map(one).sum()
}

#[track_caller]
fn assert_bound(text: &str, expected: &[(&str, usize)]) {
    let (report, _, code) = expanded(text);
    assert_eq!(report.messages(), []);
    for (name, times) in expected {
        assert_eq!(count(&code, name), *times, "{name} in {code}");
    }
}

#[test]
fn each_expression_is_in_the_code_once() {
    assert_bound(
        "struct Net([H, W, 1]) -> 10 {
            conv: Conv2d(F, kernel = (K, { K + 1 }), padding = K) -> { F + H + W },
            MaxPool2d(2), Flatten,
            Residual { Dense(H), ReLU, Dense(sizes::OUT) } skip { Dense(sizes::OUT) },
            Dense(10),
        }",
        &[("H", 2), ("W", 2), ("F", 2), ("K", 2), ("OUT", 1)],
    );
}

#[test]
fn networks_of_one_block_bind_their_own() {
    assert_bound(
        "struct First(N) -> 10 { Dense(N), Dense(10) } struct Second(8) -> N { Dense(N) }",
        &[("N", 2)],
    );
}

#[test]
fn const_generics_are_not_bound() {
    let text = "struct Net<const N: usize>(N) -> 10 { Dense(N), Dense(10) }";
    assert_bound(text, &[("__NET_SIZE_0", 0)]);
}
