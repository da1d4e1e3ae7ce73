use unrolled::prelude::*;

network! {
    struct Net(28x28x1) -> 10 {
        Add {
            { Conv2d(8, kernel = 3, padding = same) },
            { Conv2d(16, kernel = 3, padding = same) },
        },
        GlobalAvgPool,
        Dense(10),
    }
}

fn main() {}
