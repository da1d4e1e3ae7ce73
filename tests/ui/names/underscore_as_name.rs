use unrolled::prelude::*;

network! {
    struct Net(28x28x1) -> 10 {
        _: Flatten,
        _: Dense(10),
    }
}

fn main() {}
