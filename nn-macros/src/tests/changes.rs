//! Networks, and changes of their tokens, for the tests with random tokens and for the fuzz target `network_macro`.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

/// Networks without mistakes, which together contain every construct.
pub(crate) const GOOD: [&str; 9] = [
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
    "struct Mlp<const HIDDEN: usize>(784) -> 10 { Dense(HIDDEN), ReLU, Reshape([HIDDEN, 1]), Flatten -> HIDDEN, Dense(10) }
    struct Again(2x3) -> [A, B] { Mlp::<3>, Reshape(4x5) }",
    "block Up(skip, units) { Dense(units), Concat { {}, skip } }
    struct Heads(image: 8x8x1, table: ..4x3) -> (digit: 10, place: [4, 2]) {
        image => Flatten, seen: Dense(4), ReLU, Up(seen, 8), digit: Dense(10),
        table => Residual { Dense(3), Add { {}, table => { Tanh } } }, place: Dense(2),
    }",
    "struct Series(type: ..40x8) -> 40x8 {
        Repeat(2) { TransformerEncoder(8, 2, 16, causal = true) }, r#match: LSTM(8), MultiHeadAttention(2, causal = true),
        Residual { Conv1d(8, kernel = 3, padding = causal), ReLU } skip { Dense(8) }, crate: Dense(8),
    }
    struct Text(64) -> 100 { tokens: Embedding(100, 16), GRU(16, output = last), Dense(100, weight = tokens) }",
    "block Bottle(n, half = { n / 2 }, kernel = (3, 3)) { Conv2d(half, kernel, padding = same), PReLU, Conv2d({ half * 2 }, 1) }
    struct Symbolic([H, 9, config::C]) -> (self: N, all: 9x2) {
        Bottle({ N + 1 }), up: ConvTranspose2d({ if A > 1 { A } else { B } }, kernel = 2), GlobalAvgPool -> { 2 * N }, Dense(N),
        self: Scale(1e-3), Dense(18), all: Reshape([9, 2]),
    }",
    "block Unit(c) [Conv2d(c, kernel = 3, padding = 1), ReLU6]
    block Down(c) { Residual { conv1: Conv2d(c, kernel = 1), BatchNorm } downsample: skip [Conv2d(c, 1), BatchNorm], ReLU }
    #[allow(dense_after_dense, unused)]
    struct Numbered(9x9x3) -> 10 [
        Unit(4), features: [Down(8), _: Repeat(2) { _: Unit(8) }], { _: Concat { {}, [Unit(2)] } }, _: [_: Unit(4), GlobalAvgPool],
        Concat { {}, features => [GlobalAvgPool, ReLU] }, Dense(10),
    ]",
    "block Frame(c) { Conv2d(c, kernel = 3), BatchNorm, ReLU, PerStep { PerStep { Dense(c) }, it: MyLayer::<8> }, Flatten }
    struct Video(text: ..4x5, frames: ..4x9x9x2) -> 4x12 {
        seen: frames => PerStep { Frame(8), fc: Dense(6) } -> 4x6,
        words: text => PerStep [Embedding(9, 4), GRU(6, output = last)], again: frames => same(seen),
        Add { seen, again }, Concat { {}, words }, Repeat(2, shared = true) { PerStep { Residual { Dense(12) } } },
    }
    struct Sizes<const C: usize>([T, 3, C]) -> [T, C] { PerStep { MyLayer::<C> -> C, Dense(C) }, ReLU }",
    "block Up(skip, n) { Add { { Dense(n) }, skip => { Tanh } }, MyLayer }
    struct Twice(a: 5x4, b: ..5x4) -> 5x4 {
        mix: Add { a => { fc: Dense(4) }, b }, mix2: same(mix) { b => { Dense(4) }, {} }, look: a => MultiHeadAttention(2, memory = b),
        up: mix => Up(look, 4), looks: up => same(look, memory = mix), up2: same(up, skip = looks), mine: Own::<2> { up2, mix2 },
        same(mine) { {}, looks },
    }",
];

/// How many tokens there are at all depths.
pub(crate) fn count(tokens: &TokenStream) -> usize {
    let one = |tree: TokenTree| match tree {
        TokenTree::Group(group) => 1 + count(&group.stream()),
        _ => 1,
    };
    tokens.clone().into_iter().map(one).sum()
}

/// All tokens at all depths.
pub(crate) fn all(tokens: &TokenStream) -> Vec<TokenTree> {
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
pub(crate) enum Change {
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
pub(crate) fn change(tokens: TokenStream, at: &mut Option<usize>, what: &Change) -> TokenStream {
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

/// A change that `below` draws; `pool` has the tokens that replace others.
pub(crate) fn random_change(below: &mut impl FnMut(usize) -> usize, pool: &[TokenTree]) -> Change {
    match below(7) {
        0 => Change::Delete,
        1 => Change::Duplicate,
        2 => Change::SwapWithNext,
        3 => Change::CutRest,
        4 => Change::Replace(pool[below(pool.len())].clone()),
        5 => Change::Insert(pool[below(pool.len())].clone()),
        _ => Change::Regroup(
            [Delimiter::Parenthesis, Delimiter::Brace, Delimiter::Bracket, Delimiter::None]
                [below(4)],
        ),
    }
}

/// Tokens that are seldom right.
const OTHERS: &str = "0 1X2 1.5 1e3 \"s\" 'c' 'a & | ! . .. ; 7x 9999999999999999999999 18446744073709551615 _ self crate \
    1099511627776 1x2x3x4x5x6x7 () [] {} r#type same tanh where -> => :: < > * / % + - = dyn if return loop unsafe \
    4294967296x4294967296 18446744073709551614 r#fn Self super __Step state";

/// The tokens of [`GOOD`] and others.
pub(crate) fn pool() -> Vec<TokenTree> {
    let texts = GOOD.iter().copied().chain([OTHERS]);
    texts.flat_map(|text| all(&text.parse().expect("text of tokens"))).collect()
}

/// One of [`GOOD`] with up to four changes, or some random tokens; all that `below` draws.
pub(crate) fn random_tokens(
    below: &mut impl FnMut(usize) -> usize,
    pool: &[TokenTree],
) -> TokenStream {
    match below(8) {
        0 => some(below, pool),
        1 => {
            let soup = some(below, pool);
            quote::quote!(struct Net(8) -> 8 { #soup })
        }
        _ => {
            let mut tokens: TokenStream = GOOD[below(GOOD.len())].parse().expect("text of tokens");
            for _ in 0..=below(4) {
                let most = count(&tokens);
                if most > 0 {
                    let mut at = Some(below(most));
                    tokens = change(tokens, &mut at, &random_change(below, pool));
                }
            }
            tokens
        }
    }
}

fn some(below: &mut impl FnMut(usize) -> usize, pool: &[TokenTree]) -> TokenStream {
    (0..below(40)).map(|_| pool[below(pool.len())].clone()).collect()
}
