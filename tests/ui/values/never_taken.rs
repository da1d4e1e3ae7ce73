use unrolled::prelude::*;

network! {
    struct Net(16) -> 16 {
        first: Dense(16),
        lost: Dense(16),
        first => Dense(16),
    }
}

fn main() {}
