use unrolled::prelude::*;

network! {
    block Basic(channels, stride = 1) {
        Conv2d(channels, kernel = 3, stride = stride),
        ReLU,
    }

    struct Net(28x28x1) -> 10 {
        Basic,
        Basic(8, 1, 1),
        Basic(8, strid = 2),
        Basic(channels = 8, stride = 0),
        Flatten,
        Dense(10),
    }
}

fn main() {}
