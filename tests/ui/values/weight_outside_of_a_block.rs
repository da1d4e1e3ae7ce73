use unrolled::prelude::*;

network! {
    block Head(classes) {
        LayerNorm,
        Dense(classes, weight = tokens),
    }

    struct Gpt(text: 64) -> 64x65 {
        tokens: Embedding(65, 128),
        Head(65),
    }
}

fn main() {}
