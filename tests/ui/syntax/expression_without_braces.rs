use unrolled::prelude::*;

const N: usize = 16;

network! {
    struct Net(8) -> 10 {
        Dense(2 * N) -> 2 * N,
        Dense(10),
    }
}

fn main() {}
