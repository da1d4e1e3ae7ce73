//! What rustdoc shows of a network.

use syn::{Attribute, Block, Expr, File, ImplItem, Item, ItemImpl, Stmt};

use super::expanded;

/// The traits whose documentation is for users.
const PUBLIC: [&str; 4] = ["Network", "Shaped", "Values", "Weights"];

/// The items of the code, those inside of unnamed constants among them.
fn items(text: &str) -> Vec<Item> {
    let (report, _, code) = expanded(text);
    assert_eq!(report.messages(), []);
    let file: File = syn::parse2(code).expect("code of items");
    file.items.into_iter().flat_map(inner).collect()
}

fn inner(item: Item) -> Vec<Item> {
    match item {
        Item::Const(constant) => match *constant.expr {
            Expr::Block(syn::ExprBlock { block: Block { stmts, .. }, .. }) => stmts
                .into_iter()
                .filter_map(|statement| match statement {
                    Stmt::Item(item) => Some(item),
                    _ => None,
                })
                .collect(),
            _ => Vec::new(),
        },
        item => vec![item],
    }
}

fn is_hidden(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|it| it.path().is_ident("doc") && it.parse_args::<syn::Ident>().is_ok())
}

/// The implementations of a struct, whose name begins with that of the network.
fn implementations(items: &[Item], network: &str) -> Vec<ItemImpl> {
    let of_network = |item: &Item| match item {
        Item::Impl(it) => {
            let kind = &it.self_ty;
            let kind = quote::quote!(#kind).to_string();
            kind.starts_with(network).then(|| it.clone())
        }
        _ => None,
    };
    items.iter().filter_map(of_network).collect()
}

/// The lines of the documentation of a struct.
fn documentation(items: &[Item], name: &str) -> Vec<String> {
    let network = items.iter().find_map(|item| match item {
        Item::Struct(it) if it.ident == name => Some(it),
        _ => None,
    });
    let lines = network.expect("the struct").attrs.iter().filter_map(|attribute| {
        let syn::Meta::NameValue(value) = &attribute.meta else { return None };
        let syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }) = &value.value else {
            return None;
        };
        Some(text.value().trim().to_string())
    });
    lines.collect()
}

#[test]
fn internals_are_hidden() {
    let items = items(
        "pub struct Net<const N: usize>(x: 16x3, y: 5) -> (fc: 10, again: N) {
            Concat { x => { GRU(4, output = last) }, y => { Tanh } },
            again: Dense(N), ReLU, fc: Dense(10),
        }
        pub struct Steps(16x3) -> 16x4 { RNN(4) }
        pub struct Whole(16x3) -> 16x3 { MultiHeadAttention(heads = 1) }",
    );
    let mut seen = 0;
    for network in ["Net", "Steps", "Whole"] {
        for it in implementations(&items, network) {
            match &it.trait_ {
                Some((path, _)) => {
                    let name = path.segments.last().expect("a name").ident.to_string();
                    let is_public = PUBLIC.contains(&name.as_str());
                    assert_ne!(is_hidden(&it.attrs), is_public, "`{name}` of `{network}`");
                    seen += 1;
                }
                None => {
                    for constant in it.items {
                        let ImplItem::Const(constant) = constant else { continue };
                        assert!(is_hidden(&constant.attrs), "{} of `{network}`", constant.ident);
                    }
                }
            }
        }
    }
    // Weights, Node, TrainNode, Shaped and Network of each; Streaming of one; Values and Outputs of another.
    assert_eq!(seen, 3 * 5 + 1 + 2);
}

#[test]
fn headers_and_tables_have_what_is_known() {
    let items = items(
        "/// A doc.
        struct Net(image: [H, 28, 1], words: ..12) -> (tokens: 12x8, scores: 10) {
            tokens: words => Embedding(100, 8),
            image => Conv2d(4, kernel = 3, bias = false), ReLU, Flatten, scores: Dense(10),
        }",
    );
    assert_eq!(
        documentation(&items, "Net"),
        [
            "A doc.",
            "",
            "`Net(image: [H, 28, 1], words: ..12) -> (tokens: 12x8, scores: 10)`",
            "",
            "| layer | kind | output | parameters |",
            "|---|---|---|--:|",
            "| [`tokens`](Self::tokens) | `Embedding(100, 8)` | 12x8 | 800 |",
            "| [`conv2d`](Self::conv2d) | `Conv2d(4, kernel = 3, bias = false)` | [?, ?, 4] |  |",
            "| `relu` | `ReLU` | [?, ?, 4] |  |",
            "| `flatten` | `Flatten` | ? |  |",
            "| [`scores`](Self::scores) | `Dense(10)` | 10 |  |",
        ]
    );
}
