use unrolled::prelude::*;

network! {
    struct Net((28, 28, 1)) -> 10 {
        Conv2d(32, kernel = 3) -> (26, 26, 32),
        Flatten,
        Dense(10),
    }
}

fn main() {}
