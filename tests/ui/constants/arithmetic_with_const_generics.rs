use unrolled::prelude::*;

network! {
    struct Mlp<const HIDDEN: usize>(784) -> 10 {
        Dense(2 * HIDDEN),
        ReLU,
        Dense(10),
    }
}

fn main() {}
