use unrolled::prelude::*;

network! {
    struct Net(28x28x1) -> 10 {
        Conv2d(8, kernel = 3),
        InstanceNorm,
        Flatten,
        Dense(64),
        InstanceNorm(affine = true),
        Dense(10),
    }
}

fn main() {}
