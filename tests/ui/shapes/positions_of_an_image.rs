use unrolled::prelude::*;

network! {
    struct Learned(28x28x1) -> 10 {
        PositionalEmbedding,
        Flatten,
        Dense(10),
    }

    struct Waves(28x28x1) -> 10 {
        PositionalEncoding,
        Flatten,
        Dense(10),
    }
}

fn main() {}
