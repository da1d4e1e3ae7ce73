use unrolled::prelude::*;

network! {
    struct Net(28x28x1) -> 10 {
        Conv2d(32, kernal = 3),
        Flatten,
        Dense(10, bais = false),
    }
}

fn main() {}
