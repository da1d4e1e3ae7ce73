use unrolled::prelude::*;

network! {
    struct Net<T>(8) -> 10 {
        Dense(10),
    }
}

fn main() {}
