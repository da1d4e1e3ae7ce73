use unrolled::prelude::*;

const CHANNELS: usize = 32;

network! {
    struct Net(28x28x1) -> 10 {
        Conv2d(CHANNELS, kernel = 3),
        Conv2d(CHANNELS, kernel = 3, groups = 5),
        Flatten,
        Dense(10),
    }
}

fn main() {}
