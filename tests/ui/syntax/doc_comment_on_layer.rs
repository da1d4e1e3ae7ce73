use unrolled::prelude::*;

network! {
    struct Net(28x28x1) -> 10 {
        /// Makes it flat.
        Flatten,
        Dense(10),
    }
}

fn main() {}
