use unrolled::prelude::*;

const TIMES: usize = 3;

network! {
    struct Net(28x28x1) -> 10 {
        Flatten,
        Repeat(0) { Dense(32) },
        Repeat(TIMES) { Dense(32) },
        Repeat(2.5) { Dense(32) },
        Repeat(2, 3) { Dense(32) },
        Dense(10),
    }
}

fn main() {}
