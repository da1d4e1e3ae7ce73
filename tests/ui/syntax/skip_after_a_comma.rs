use unrolled::prelude::*;

network! {
    struct Net(28x28x1) -> 10 {
        Residual {
            Conv2d(8, kernel = 3, padding = same),
        },
        skip {
            Conv2d(8, kernel = 1),
        },
        GlobalAvgPool,
        Dense(10),
    }
}

fn main() {}
