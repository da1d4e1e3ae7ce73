use unrolled::prelude::*;

network! {
    struct Gpt(text: 64) -> 64x65 {
        tokens: Embedding(65, 128),
        norm: LayerNorm,
        head: Dense(65, weight = tokns),
    }
}

fn main() {}
