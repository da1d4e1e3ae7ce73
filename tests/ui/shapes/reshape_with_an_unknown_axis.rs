use unrolled::prelude::*;

network! {
    struct Net(28x28x1) -> 10 {
        Reshape(-1),
        Reshape([14, -1, 4]),
        Reshape((14, 14, 4)),
        Flatten,
        Dense(10),
    }
}

fn main() {}
