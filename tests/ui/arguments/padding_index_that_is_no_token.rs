use unrolled::prelude::*;

network! {
    struct Net(64) -> 2 {
        Embedding(5000, 32, padding_index = 5000),
        GlobalAvgPool,
        Dense(2),
    }
}

fn main() {}
