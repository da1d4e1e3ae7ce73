use unrolled::prelude::*;

network! {
    struct Net(28x28x1) -> 10 {
        Flatten,
        Conv2d(32, kernel = 3),
        Dense(10),
    }
}

fn main() {}
