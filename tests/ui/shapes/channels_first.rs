use unrolled::prelude::*;

network! {
    struct Net(3x32x32) -> 10 {
        Conv2d(32, kernel = 5),
        Flatten,
        Dense(10),
    }
}

fn main() {}
