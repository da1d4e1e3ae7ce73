use unrolled::prelude::*;

network! {
    struct Net(28x28x1) -> 10 {
        Conv2d(8, kernel = 27),
        MaxPool2d(2, padding = 1, dilation = 3),
        Flatten,
        Dense(10),
    }
}

fn main() {}
