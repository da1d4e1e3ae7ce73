use unrolled::prelude::*;

network! {
    struct Net(32x32x3) -> 10 {
        stem: Conv2d(16, kernel = 3, padding = same),
        Residual {
            Conv2d(32, kernel = 3, stride = 2, padding = 1, bias = false), BatchNorm, ReLU,
            Conv2d(32, kernel = 3, padding = same, bias = false), BatchNorm,
        },
        GlobalAvgPool,
        Dense(10),
    }
}

fn main() {}
