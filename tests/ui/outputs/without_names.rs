use unrolled::prelude::*;

network! {
    struct Net(16) -> (10, 2) {
        Dense(10),
    }
}

fn main() {}
