use unrolled::prelude::*;

const C: usize = 3;

network! {
    struct Net(28x28xC) -> 10 {
        Flatten,
        Dense(10),
    }
}

fn main() {}
