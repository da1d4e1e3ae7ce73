use unrolled::prelude::*;

network! {
    struct Net(28 x 28 x 1) -> 10 {
        Conv2d(32, kernel = 3) -> 26 x 26 x 32,
        Flatten,
        Dense(10),
    }
}

fn main() {}
