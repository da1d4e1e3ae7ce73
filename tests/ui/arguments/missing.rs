use unrolled::prelude::*;

network! {
    struct Net(28x28x1) -> 10 {
        Conv2d(32),
        MaxPool2d,
        Flatten,
        Dense(),
    }
}

fn main() {}
