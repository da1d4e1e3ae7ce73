use unrolled::prelude::*;

network! {
    struct Net() -> 10 {
        Dense(10),
    }
}

fn main() {}
