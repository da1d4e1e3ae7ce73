use unrolled::prelude::*;

network! {
    struct Net(28x28x1) -> 10 {
        AvgPool2d(2, padding = 2),
        Flatten,
        Dense(10),
    }
}

fn main() {}
