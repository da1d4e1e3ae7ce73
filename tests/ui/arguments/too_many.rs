use unrolled::prelude::*;

network! {
    struct Net(28x28x1) -> 10 {
        Flatten(1),
        Dropout(0.5, 0.5),
        Dense(10, true),
    }
}

fn main() {}
