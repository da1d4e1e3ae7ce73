use unrolled::prelude::*;

network! {
    struct Net(28x28x1) -> 10 {
        stage: Repeat(5) { Conv2d(8, kernel = 3), ReLU, MaxPool2d(2) },
        Flatten,
        Dense(10),
    }
}

fn main() {}
