use unrolled::prelude::*;

network! {
    struct Net(28x28x1) -> 10 {
        Flatten,
        Dense(128, bias = 0),
        Dense(128, bias = True),
        Dense(128, bias = None),
        Dense(10),
    }
}

fn main() {}
