use unrolled::prelude::*;

network! {
    struct Net(28x28x1) -> 10 {
        conv1: Conv2d(32, kernel = 3)
        ReLU,
        MaxPool2d(2)
        Flatten,
        fc: Dense(10)
    }
}

fn main() {}
