use unrolled::prelude::*;

network! {
    struct Net(28X28X1) -> 10 {
        Flatten,
        Dense(10),
    }
}

fn main() {}
