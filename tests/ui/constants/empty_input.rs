use unrolled::prelude::*;

const FEATURES: usize = 0;

network! {
    struct Net(FEATURES) -> 10 {
        Dense(10),
    }
}

fn main() {}
