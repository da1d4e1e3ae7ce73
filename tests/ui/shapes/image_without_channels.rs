use unrolled::prelude::*;

network! {
    struct Net(28x28) -> 10 {
        Conv2d(32, kernel = 3),
        Flatten,
        Dense(10),
    }
}

fn main() {}
