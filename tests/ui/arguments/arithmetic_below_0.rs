use unrolled::prelude::*;

network! {
    struct Net(28x28x1) -> 10 {
        Flatten,
        Dense(3 - 5),
        Dense(10 / 0),
        Dense(10),
    }
}

fn main() {}
