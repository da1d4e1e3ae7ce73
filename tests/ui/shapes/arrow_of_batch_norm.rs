use unrolled::prelude::*;

network! {
    struct Net(28x28x1) -> 10 {
        Conv2d(8, kernel = 3),
        BatchNorm -> 8,
        ReLU,
        Flatten,
        Dense(10),
    }
}

fn main() {}
