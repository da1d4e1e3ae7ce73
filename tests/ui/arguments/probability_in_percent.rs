use unrolled::prelude::*;

network! {
    struct Net(28x28x1) -> 10 {
        Flatten,
        Dropout(50),
        Dense(10),
    }
}

fn main() {}
