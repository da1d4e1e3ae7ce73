use unrolled::prelude::*;

network! {
    struct Net(16) -> 16 {
        Dense(16),
        skip => Dense(16),
        skip: Dense(16),
    }
}

fn main() {}
