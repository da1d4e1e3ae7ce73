use unrolled::prelude::*;

network! {
    struct Net(0x28) -> 10 {
        Flatten,
        Dense(10),
    }
}

fn main() {}
