use unrolled::prelude::*;

network! {
    struct Net(1x2x3x4x5x6x7) -> 10 {
        Flatten,
        Dense(10),
    }
}

fn main() {}
