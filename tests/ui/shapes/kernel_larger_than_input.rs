use unrolled::prelude::*;

network! {
    struct Net(28x28x1) -> 10 {
        conv1: Conv2d(32, kernel = 3),
        MaxPool2d(4),
        conv2: Conv2d(64, kernel = 7),
        Flatten,
        Dense(10),
    }
}

fn main() {}
