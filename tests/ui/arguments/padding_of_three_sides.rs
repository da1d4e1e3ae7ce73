use unrolled::prelude::*;

network! {
    struct Net(28x28x1) -> 10 {
        Conv2d(32, kernel = 3, padding = (1, 0, 1)),
        Flatten,
        Dense(10),
    }
}

fn main() {}
