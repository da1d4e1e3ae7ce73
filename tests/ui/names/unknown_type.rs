use unrolled::prelude::*;

network! {
    struct Net(28x28x1) -> 10 {
        encoder: TextEncoder,
        Dense(10),
    }
}

fn main() {}
