use unrolled::prelude::*;

network! {
    struct Net(12x16x16x1) -> 5 {
        PerStep { Conv2d(8, kernel = 3), ReLU },
        LSTM(32, output = last),
        Dense(5),
    }
}

fn main() {}
