use unrolled::prelude::*;

const HIDDEN: usize = 0;

network! {
    struct Net(8) -> 10 {
        fc1: Dense(HIDDEN),
        ReLU,
        fc2: Dense(10),
    }
}

fn main() {}
