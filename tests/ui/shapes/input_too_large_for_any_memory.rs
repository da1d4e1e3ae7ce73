use unrolled::prelude::*;

network! {
    struct Net([1_000_000_000, 1_000_000_000, 3]) -> 10 {
        Flatten,
        Dense(10),
    }
}

fn main() {}
