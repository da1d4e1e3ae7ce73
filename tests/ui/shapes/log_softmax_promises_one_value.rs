use unrolled::prelude::*;

network! {
    struct Net(28x28x1) -> 1 {
        Flatten,
        Dense(10),
        LogSoftmax,
    }
}

fn main() {}
