use unrolled::prelude::*;

network! {
    struct Net(28x28x1) -> 10 {
        Residual {
            Conv2d(16, kernel = 3, stride = 2, padding = 1),
        } skip {
            Conv2d(16, kernel = 1),
        },
        GlobalAvgPool,
        Dense(10),
    }
}

fn main() {}
