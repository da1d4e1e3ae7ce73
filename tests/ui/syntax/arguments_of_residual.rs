use unrolled::prelude::*;

network! {
    struct Net(28x28x1) -> 10 {
        Residual(2) {
            Conv2d(1, kernel = 3, padding = same),
        },
        Flatten,
        Dense(10),
    }
}

fn main() {}
