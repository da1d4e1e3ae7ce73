use unrolled::prelude::*;

network! {
    struct Net(8) -> 10 {
        Dense(16, ),
        Dense(, bias = true),
        Dense(10, bias = ),
    }
}

fn main() {}
