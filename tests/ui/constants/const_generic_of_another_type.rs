use unrolled::prelude::*;

network! {
    struct Mlp<const HIDDEN: u32>(784) -> 10 {
        Dense(HIDDEN),
        Dense(10),
    }
}

fn main() {}
