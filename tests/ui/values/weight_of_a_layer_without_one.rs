use unrolled::prelude::*;

network! {
    struct Gpt(text: 64) -> 64x65 {
        Embedding(65, 128),
        norm: LayerNorm,
        Dense(65, weight = norm),
    }

    struct Several(text: 64) -> 64x65 {
        Embedding(65, 128),
        stage: Repeat(2) { Dense(128), ReLU },
        Dense(65, weight = text),
        Dense(65, weight = stage),
    }
}

fn main() {}
