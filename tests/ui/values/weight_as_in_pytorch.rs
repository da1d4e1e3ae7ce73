use unrolled::prelude::*;

network! {
    struct Gpt(text: 64) -> 64x65 {
        tokens: Embedding(65, 128),
        head: Dense(65, weight = tokens.weight),
    }
}

fn main() {}
