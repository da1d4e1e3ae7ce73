use unrolled::prelude::*;

network! {
    struct Net -> 10 {
        Flatten,
        Dense(10),
    }
}

fn main() {}
