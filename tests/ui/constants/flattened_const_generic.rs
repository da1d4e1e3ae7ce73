use unrolled::prelude::*;

network! {
    struct Net<const CHANNELS: usize>(28x28x1) -> 10 {
        Conv2d(CHANNELS, kernel = 3),
        Flatten,
        Dense(10),
    }
}

fn main() {}
