use unrolled::prelude::*;

network! {
    struct Net(28x28x1) -> 10 {
        MaxPool2d(3, stride = 1, padding = (0, 2, 0, 0)),
        Flatten,
        Dense(10),
    }
}

fn main() {}
