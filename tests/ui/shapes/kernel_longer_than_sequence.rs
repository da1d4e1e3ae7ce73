use unrolled::prelude::*;

network! {
    struct Net(20x8) -> 4 {
        conv1: Conv1d(16, kernel = 5, dilation = 3),
        MaxPool1d(2),
        conv2: Conv1d(16, kernel = 7),
        GlobalAvgPool,
        Dense(4),
    }
}

fn main() {}
