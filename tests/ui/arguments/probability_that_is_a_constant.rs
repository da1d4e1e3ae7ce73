use unrolled::prelude::*;

const RATE: f64 = 0.5;

network! {
    struct Net(28x28x1) -> 10 {
        Flatten,
        Dropout(RATE),
        Dense(10),
    }
}

fn main() {}
