use unrolled::prelude::*;

network! {
    struct Net(28x28x1) -> 10 {
        Flatten => 784,
        Dense(10),
    }
}

fn main() {}
