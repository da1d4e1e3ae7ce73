use unrolled::prelude::*;

network! {
    struct Net(784) -> 10 {
        fc: Dense(32),
        ReLU,
        fc: Dense(10),
    }
}

fn main() {}
