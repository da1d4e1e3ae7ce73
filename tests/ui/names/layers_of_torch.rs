use unrolled::prelude::*;

network! {
    struct Net(28x28x1) -> 10 {
        Conv2d(32, kernel = 3),
        BatchNorm2d,
        LeakyReLU,
        AdaptiveAvgPool2d(1),
        Flatten,
        Linear(10),
    }
}

fn main() {}
