use unrolled::prelude::*;

const HIDDEN: usize = 32;

network! {
    struct Net(8) -> 10 {
        Dense(HIDEN),
        Dense(10),
    }
}

fn main() {}
