//! No tokens whatever make the macro panic, and what it gives is always a list of items.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::expand::expand;
use crate::network::Features;

const GOOD: [&str; 4] = [
    "block Basic(channels, stride = 1) {
        Residual {
            Conv2d(channels, kernel = 3, stride = stride, padding = 1, bias = false), BatchNorm,
        } skip { Conv2d(channels, kernel = 1, stride = stride) },
        ReLU,
    }
    /// A doc comment.
    #[derive(Debug)]
    pub struct Net(32x32x3) -> 10 {
        stem: Conv2d(16, kernel = (3, 5), padding = same) -> 32x32x16,
        stage1: Repeat(2) { Basic(16) },
        Basic(32, stride = 2), GlobalAvgPool, head: Dense({ 5 * 2 }) -> 10,
    }",
    "pub struct Fusion(image: 28x28x1, table: [N, 3]) -> 3 {
        Concat {
            image => { Conv2d(16, kernel = 3), MaxPool2d(2), Flatten },
            table => { GELU(approximate = tanh), Dense(config::N), Flatten },
        },
        Dropout(0.5), LeakyReLU(-0.5), mix: MyLayer::<64>, self::Relu, Add { {}, { ReLU } }, Dense(3),
    }",
    "struct Mlp<const HIDDEN: usize>(784) -> 10 { Dense(HIDDEN), ReLU, Reshape([HIDDEN, 1]), Flatten, Dense(10) }
    struct Again(2x3) -> [A, B] { Mlp::<3>, Reshape(4x5) }",
    "block Up(skip, units) { Dense(units), Concat { {}, skip } }
    struct Heads(image: 8x8x1, table: ..4x3) -> (digit: 10, place: [4, 2]) {
        image => Flatten, seen: Dense(4), ReLU, Up(seen, 8), digit: Dense(10),
        place: table => Residual { Dense(3), Add { {}, table => { Tanh } } }, Dense(2),
    }",
];

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

/// How many tokens there are at all depths.
fn count(tokens: &TokenStream) -> usize {
    let one = |tree: TokenTree| match tree {
        TokenTree::Group(group) => 1 + count(&group.stream()),
        _ => 1,
    };
    tokens.clone().into_iter().map(one).sum()
}

/// All tokens at all depths.
fn all(tokens: &TokenStream) -> Vec<TokenTree> {
    let mut found = Vec::new();
    for tree in tokens.clone() {
        found.push(tree.clone());
        if let TokenTree::Group(group) = tree {
            found.extend(all(&group.stream()));
        }
    }
    found
}

/// What is done with a token.
enum Change {
    Delete,
    Duplicate,
    SwapWithNext,
    CutRest,
    Replace(TokenTree),
    Insert(TokenTree),
    /// Its brackets become others; the tokens in it stay.
    Regroup(Delimiter),
}

/// The tokens with the token number `at` changed, counted at all depths.
fn change(tokens: TokenStream, at: &mut Option<usize>, what: &Change) -> TokenStream {
    let mut output: Vec<TokenTree> = Vec::new();
    let mut input = tokens.into_iter();
    while let Some(tree) = input.next() {
        match at {
            Some(0) => {
                *at = None;
                match (what, tree) {
                    (Change::Delete, _) => {}
                    (Change::Duplicate, tree) => output.extend([tree.clone(), tree]),
                    (Change::SwapWithNext, tree) => {
                        output.extend(input.next());
                        output.push(tree);
                    }
                    (Change::CutRest, _) => return output.into_iter().collect(),
                    (Change::Replace(other), _) => output.push(other.clone()),
                    (Change::Insert(other), tree) => output.extend([other.clone(), tree]),
                    (Change::Regroup(delimiter), TokenTree::Group(group)) => {
                        output.push(Group::new(*delimiter, group.stream()).into());
                    }
                    (Change::Regroup(_), tree) => output.push(tree),
                }
                continue;
            }
            Some(left) => *left -= 1,
            None => {}
        }
        output.push(match tree {
            TokenTree::Group(group) => {
                Group::new(group.delimiter(), change(group.stream(), at, what)).into()
            }
            other => other,
        });
    }
    output.into_iter().collect()
}

fn random_change(numbers: &mut Numbers, pool: &[TokenTree]) -> Change {
    let any = |numbers: &mut Numbers| pool[numbers.below(pool.len())].clone();
    match numbers.below(7) {
        0 => Change::Delete,
        1 => Change::Duplicate,
        2 => Change::SwapWithNext,
        3 => Change::CutRest,
        4 => Change::Replace(any(numbers)),
        5 => Change::Insert(any(numbers)),
        _ => Change::Regroup(
            [Delimiter::Parenthesis, Delimiter::Brace, Delimiter::Bracket, Delimiter::None]
                [numbers.below(4)],
        ),
    }
}

/// Expands, and looks whether the result is a list of items.
#[track_caller]
fn check(tokens: &TokenStream) {
    let text = tokens.to_string();
    let expanded = catch_unwind(AssertUnwindSafe(|| {
        expand(tokens.clone(), Features { std: true, train: true })
    }));
    let code = expanded.unwrap_or_else(|_| panic!("this makes it panic:\n{text}"));
    if let Err(error) = syn::parse2::<syn::File>(code.clone()) {
        panic!("{error} in\n{code}\nfrom\n{text}");
    }
}

#[test]
fn changed_networks() {
    let good: Vec<TokenStream> =
        GOOD.iter().map(|text| format!("krate; {text}").parse().expect("text of tokens")).collect();
    let extra: TokenStream =
        "0 0x10 1.5 1e3 \"s\" 'c' 'a & | ! . .. ; 7x 9999999999999999999999 18446744073709551615 _ self crate \
         1099511627777 1x2x3x4x5x6x7 0x 1X2 () [] {} r#type same tanh same where -> => :: < > * / % + - dyn"
            .replace("0x 1X2", "1X2")
            .parse()
            .expect("text of tokens");
    let mut pool: Vec<TokenTree> = good.iter().flat_map(all).collect();
    pool.extend(all(&extra));
    for tokens in &good {
        check(tokens);
    }
    let mut numbers = Numbers(0x2545_f491_4f6c_dd1d);
    for _ in 0..2000 {
        let mut tokens = good[numbers.below(good.len())].clone();
        for _ in 0..=numbers.below(3) {
            // The path of the crate is the facade's, not the user's.
            let most = count(&tokens);
            if most > 2 {
                let mut at = Some(2 + numbers.below(most - 2));
                tokens = change(tokens, &mut at, &random_change(&mut numbers, &pool));
            }
        }
        check(&tokens);
    }
}

#[test]
fn random_soup() {
    let mut pool: Vec<TokenTree> = Vec::new();
    for text in GOOD {
        pool.extend(all(&text.parse().expect("text of tokens")));
    }
    let mut numbers = Numbers(88_172_645_463_325_252);
    for _ in 0..500 {
        let soup = (0..numbers.below(40)).map(|_| pool[numbers.below(pool.len())].clone());
        let soup: TokenStream = soup.collect();
        check(&soup);
        check(&quote::quote!(krate; struct Net(8) -> 8 { #soup }));
    }
}
