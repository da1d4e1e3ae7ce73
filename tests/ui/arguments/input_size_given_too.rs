use unrolled::prelude::*;

network! {
    struct Net(28x28x1) -> 10 {
        Conv2d(1, 32, 3),
        Flatten,
        Dense(21632, 10),
    }
}

fn main() {}
