use unrolled::prelude::*;

network! {
    struct Net(28x28x1) -> 10 {
        Conv2d(16, kernel = 3, padding = causal),
        Flatten,
        Dense(10),
    }

    struct Steps(28x3) -> 10 {
        Conv1d(16, kernel = 3, padding = casual),
        GlobalAvgPool,
        Dense(10),
    }
}

fn main() {}
