use unrolled::prelude::*;

network! {
    struct Net(28x28x1) -> 10 {
        Flatten,
        ReLU(0.1),
        Dense(10, activation = relu),
    }
}

fn main() {}
