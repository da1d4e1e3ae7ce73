use unrolled::prelude::*;

network! {
    struct Net(28x28x1) -> 0 {
        Flatten,
        Dense(10),
    }
}

fn main() {}
