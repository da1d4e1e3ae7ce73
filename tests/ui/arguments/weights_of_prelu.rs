use unrolled::prelude::*;

network! {
    struct Net(28x28x1) -> 10 {
        Conv2d(8, kernel = 3),
        PReLU(3),
        PReLU(weights = 0.25),
        Flatten,
        Dense(10),
    }
}

fn main() {}
