use unrolled::prelude::*;

network! {
    struct Net(28x28x1) -> 10 {
        MaxPool2d(3, stride = 2) -> 14x14x1,
        Flatten,
        Dense(10),
    }
}

fn main() {}
