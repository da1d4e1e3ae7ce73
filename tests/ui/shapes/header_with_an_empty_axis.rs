use unrolled::prelude::*;

network! {
    struct Net([0, 28, 1]) -> 10 {
        Flatten,
        Dense(10),
    }
}

fn main() {}
