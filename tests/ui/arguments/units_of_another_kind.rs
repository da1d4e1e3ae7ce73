use unrolled::prelude::*;

network! {
    struct Net(28x28x1) -> 10 {
        Flatten,
        Dense(-128),
        Dense(128.0),
        Dense("128"),
        Dense(true),
        Dense(8x8),
        Dense((8, 8)),
        Dense(10),
    }
}

fn main() {}
