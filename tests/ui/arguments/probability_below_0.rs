use unrolled::prelude::*;

network! {
    struct Net(28x28x1) -> 10 {
        Flatten,
        Dropout(p = -0.5),
        Dense(10),
    }
}

fn main() {}
