use unrolled::prelude::*;

network! {
    struct Inner(16) -> (digit: 10, place: 2) {
        shared: Dense(16),
        digit: Dense(10),
        place: shared => Dense(2),
    }

    struct Net(16) -> 10 {
        Inner,
        Dense(10),
    }
}

fn main() {}
