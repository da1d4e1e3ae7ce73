use unrolled::prelude::*;

network! {
    block Basic(channels) {
        Conv2d(channels, kernel = 3),
        ReLU,
    }

    struct Net(28x28x1) -> 10 {
        Basik(8),
        Flatten,
        Dense(10),
    }
}

fn main() {}
