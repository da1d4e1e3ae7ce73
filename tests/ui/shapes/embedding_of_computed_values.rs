use unrolled::prelude::*;

network! {
    struct Late(64) -> 2 {
        Dense(16),
        words: Embedding(5000, 32),
        GlobalAvgPool,
        Dense(2),
    }

    struct Shared(text: 64) -> 34 {
        Concat {
            text => { Embedding(5000, 32), GlobalAvgPool },
            text => { numbers: Dense(2) },
        },
    }

    struct Text(64) -> 2 {
        Embedding(5000, 32),
        Dense(2),
    }
}

fn main() {}
