use unrolled::prelude::*;

const CLASSES: usize = 12;

network! {
    struct Net(28x28x1) -> 10 {
        Flatten,
        Dense(CLASSES),
    }
}

fn main() {}
