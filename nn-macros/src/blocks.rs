//! Blocks that are defined in every `network!`, written in its own language. A block of the user's of the
//! same name takes precedence.

use proc_macro2::{Group, Span, TokenStream, TokenTree};

use crate::ast::Block;
use crate::parse::parse;
use crate::report::Report;

/// A name and the definition, as the user would write it in a `network!`.
struct Text {
    name: &'static str,
    block: &'static str,
}

/// PyTorch's `nn.TransformerEncoderLayer` and `nn.TransformerDecoderLayer` with `activation="gelu"`, the
/// names of the weights too. A decoder's steps see themselves and those before them alone.
const TEXTS: [Text; 4] = [
    Text {
        name: "TransformerEncoder",
        block: "block TransformerEncoder(
            width, heads, hidden, dropout = 0.1, causal = false, rotary = false,
            kv_heads = heads, alibi = false
        ) {
            Residual {
                norm1: LayerNorm,
                self_attn: MultiHeadAttention(
                    heads, causal = causal, dropout = dropout, rotary = rotary,
                    kv_heads = kv_heads, alibi = alibi,
                ),
                Dropout(dropout),
            },
            Residual {
                norm2: LayerNorm,
                linear1: Dense(hidden), GELU, Dropout(dropout),
                linear2: Dense(width), Dropout(dropout),
            },
        }",
    },
    Text {
        name: "PostNormTransformerEncoder",
        block: "block PostNormTransformerEncoder(
            width, heads, hidden, dropout = 0.1, causal = false, rotary = false,
            kv_heads = heads, alibi = false
        ) {
            Residual {
                self_attn: MultiHeadAttention(
                    heads, causal = causal, dropout = dropout, rotary = rotary,
                    kv_heads = kv_heads, alibi = alibi,
                ),
                Dropout(dropout),
            },
            norm1: LayerNorm,
            Residual {
                linear1: Dense(hidden), GELU, Dropout(dropout),
                linear2: Dense(width), Dropout(dropout),
            },
            norm2: LayerNorm,
        }",
    },
    Text {
        name: "TransformerDecoder",
        block:
            "block TransformerDecoder(
            memory, width, heads, hidden, dropout = 0.1, rotary = false, kv_heads = heads, alibi = false
        ) {
            Residual {
                norm1: LayerNorm,
                self_attn: MultiHeadAttention(
                    heads, causal = true, dropout = dropout, rotary = rotary,
                    kv_heads = kv_heads, alibi = alibi,
                ),
                Dropout(dropout),
            },
            Residual {
                norm2: LayerNorm,
                multihead_attn: MultiHeadAttention(
                    heads, memory = memory, dropout = dropout, kv_heads = kv_heads,
                ),
                Dropout(dropout),
            },
            Residual {
                norm3: LayerNorm,
                linear1: Dense(hidden), GELU, Dropout(dropout),
                linear2: Dense(width), Dropout(dropout),
            },
        }",
    },
    Text {
        name: "PostNormTransformerDecoder",
        block: "block PostNormTransformerDecoder(
            memory, width, heads, hidden, dropout = 0.1, rotary = false, kv_heads = heads, alibi = false
        ) {
            Residual {
                self_attn: MultiHeadAttention(
                    heads, causal = true, dropout = dropout, rotary = rotary,
                    kv_heads = kv_heads, alibi = alibi,
                ),
                Dropout(dropout),
            },
            norm1: LayerNorm,
            Residual {
                multihead_attn: MultiHeadAttention(
                    heads, memory = memory, dropout = dropout, kv_heads = kv_heads,
                ),
                Dropout(dropout),
            },
            norm2: LayerNorm,
            Residual {
                linear1: Dense(hidden), GELU, Dropout(dropout),
                linear2: Dense(width), Dropout(dropout),
            },
            norm3: LayerNorm,
        }",
    },
];

/// The names of all of them.
pub(crate) fn names<'a>() -> impl Iterator<Item = &'a str> {
    TEXTS.iter().map(|text| text.name)
}

/// The block of this name, as if it stood where it is used: a mistake in it is one of its use.
pub(crate) fn find(name: &str, used: Span) -> Option<Block> {
    let text = TEXTS.iter().find(|text| text.name == name)?;
    let tokens = text.block.parse().expect("text of tokens");
    // The texts have no mistakes: there is nothing to report.
    let file = parse(standing_at(used, tokens), &mut Report::default());
    file.blocks.into_iter().next()
}

/// The same tokens, all at one place.
fn standing_at(place: Span, tokens: TokenStream) -> TokenStream {
    let moved = |mut tree: TokenTree| {
        if let TokenTree::Group(group) = tree {
            tree = Group::new(group.delimiter(), standing_at(place, group.stream())).into();
        }
        tree.set_span(place);
        tree
    };
    tokens.into_iter().map(moved).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn their_texts_are_without_mistakes() {
        for text in &TEXTS {
            let mut report = Report::default();
            let file = parse(text.block.parse().expect("text of tokens"), &mut report);
            assert_eq!(report.messages(), []);
            assert_eq!(file.blocks.len(), 1);
            assert_eq!(file.blocks[0].name, text.name);
        }
    }
}
