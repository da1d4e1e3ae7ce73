use unrolled::prelude::*;

network! {
    struct Net(28x28x1) -> 10 {
        Conv2d(1, 32, kernel_size = 3),
        Flatten,
        Linear(in_features = 1600, out_features = 128),
        Dense(out_features = 10),
    }
}

fn main() {}
