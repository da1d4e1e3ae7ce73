use unrolled::prelude::*;

network! {
    struct Net(28x28x1) -> 10 {
        Flatten,
        Reshape(14x14x3),
        Conv2d(8, kernel = 3),
        GlobalAvgPool,
        Dense(10),
    }
}

fn main() {}
