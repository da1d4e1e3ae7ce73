use unrolled::prelude::*;

network! {
    struct Net(28x28x1) -> 10 {
        Residual {
            Conv2d(1, kernel = 3),
        },
        Flatten,
        Dense(10),
    }
}

fn main() {}
