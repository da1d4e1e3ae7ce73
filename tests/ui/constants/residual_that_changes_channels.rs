use unrolled::prelude::*;

const WIDTH: usize = 32;

network! {
    struct Net(32x32x3) -> 10 {
        stem: Conv2d(16, kernel = 3, padding = same),
        Residual {
            Conv2d(WIDTH, kernel = 3, stride = 2, padding = 1),
        },
        GlobalAvgPool,
        Dense(10),
    }
}

fn main() {}
