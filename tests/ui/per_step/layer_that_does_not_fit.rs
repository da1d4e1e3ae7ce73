use unrolled::prelude::*;

network! {
    struct Net(12x16x16x1) -> 5 {
        frames: PerStep { Conv2d(8, kernel = 3), MaxPool2d(2), Conv2d(8, kernel = 9), Flatten, Dense(16) },
        LSTM(32, output = last),
        Dense(5),
    }
}

fn main() {}
