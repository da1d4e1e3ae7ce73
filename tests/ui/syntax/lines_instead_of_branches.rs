use unrolled::prelude::*;

network! {
    struct Net(28x28x1) -> 10 {
        Concat {
            Conv2d(8, kernel = 3),
            Conv2d(8, kernel = 3),
        },
        Flatten,
        Dense(10),
    }
}

fn main() {}
