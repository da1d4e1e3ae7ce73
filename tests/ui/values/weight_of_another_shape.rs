use unrolled::prelude::*;

network! {
    struct Gpt(text: 64) -> 64x60 {
        tokens: Embedding(65, 128),
        LayerNorm,
        head: Dense(60, weight = tokens),
    }

    struct Narrow(text: 64) -> 64x65 {
        tokens: Embedding(65, 128),
        Dense(100),
        head: Dense(65, weight = tokens),
    }
}

fn main() {}
