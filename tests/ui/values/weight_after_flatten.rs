use unrolled::prelude::*;

network! {
    struct Net(2x2x4) -> 16 {
        Flatten,
        first: Dense(16),
        Dense(16, weight = first),
    }
}

fn main() {}
