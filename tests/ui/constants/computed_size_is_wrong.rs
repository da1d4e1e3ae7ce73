use unrolled::prelude::*;

const HIDDEN: usize = 64;

network! {
    struct Net(HIDDEN) -> 10 {
        fc1: Dense({ 2 * HIDDEN }),
        ReLU,
        fc2: Dense(HIDDEN) -> { HIDDEN + 1 },
        Dense(10),
    }
}

fn main() {}
