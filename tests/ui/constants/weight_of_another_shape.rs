use unrolled::prelude::*;

const TOKENS: usize = 65;
const WIDTH: usize = 128;

network! {
    struct Gpt(text: 64) -> [64, TOKENS] {
        tokens: Embedding(TOKENS, WIDTH),
        Dense(WIDTH + 2),
        head: Dense(TOKENS, weight = tokens),
    }
}

fn main() {}
