use unrolled::prelude::*;

network! {
    struct Net(28x28x1) -> 10 {
        Flatten,
        Dense(128),
        ReLU,
        fc2: Dense(12),
    }
}

fn main() {}
