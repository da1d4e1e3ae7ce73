use unrolled::prelude::*;

network! {
    struct Net(28x28x1) -> 10 {
        Conv2d(32, 3, kernel = 5),
        Flatten,
        Dense(10, bias = true, bias = false),
    }
}

fn main() {}
