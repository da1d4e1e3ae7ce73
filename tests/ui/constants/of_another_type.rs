use unrolled::prelude::*;

const HIDDEN: u32 = 32;

network! {
    struct Net(8) -> 10 {
        Dense(HIDDEN),
        Dense(10),
    }
}

fn main() {}
