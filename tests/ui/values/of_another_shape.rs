use unrolled::prelude::*;

network! {
    struct Net(28x28x1) -> 10 {
        skip: Conv2d(8, kernel = 3),
        Conv2d(8, kernel = 3),
        Concat { {}, skip },
        Flatten,
        Dense(10),
    }
}

fn main() {}
