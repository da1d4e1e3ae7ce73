use unrolled::prelude::*;

network! {
    block Down(channels) {
        Conv2d(channels, kernel = 3, stride = 2),
        ReLU,
    }

    struct Net(28x28x1) -> 10 {
        first: Down(8),
        second: Down(16),
        third: Down(32),
        fourth: Down(64),
        fifth: Down(128),
        Flatten,
        Dense(10),
    }
}

fn main() {}
