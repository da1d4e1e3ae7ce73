use unrolled::prelude::*;

network! {
    struct Net(28x28x1) -> 10 {
        Conv1d(16, kernel = 3),
        AvgPool1d(2),
        Flatten,
        Dense(10),
    }
}

fn main() {}
