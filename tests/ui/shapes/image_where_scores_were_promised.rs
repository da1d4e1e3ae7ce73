use unrolled::prelude::*;

network! {
    struct Net(28x28x1) -> 10 {
        Conv2d(8, kernel = 3),
        ReLU,
        Dense(10),
    }
}

fn main() {}
