use unrolled::prelude::*;

network! {
    struct Net(16) -> 16 {
        first: Dense(16, weight = second),
        ReLU,
        second: Dense(16),
    }
}

fn main() {}
