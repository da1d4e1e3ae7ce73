use unrolled::prelude::*;

const KERNEL: usize = 31;

network! {
    struct Net(28x28x1) -> 10 {
        conv1: Conv2d(32, kernel = KERNEL),
        ReLU,
        Flatten,
        Dense(10),
    }
}

fn main() {}
