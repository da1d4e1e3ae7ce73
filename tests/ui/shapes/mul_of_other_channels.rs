use unrolled::prelude::*;

network! {
    struct Net(28x28x1) -> 10 {
        Mul {
            { Conv2d(8, kernel = 3, padding = same) },
            { GlobalAvgPool, Dense(4), Sigmoid },
        },
        GlobalAvgPool,
        Dense(10),
    }
}

fn main() {}
