use unrolled::prelude::*;

network! {
    pub struct Mlp<const HIDDEN: usize>(8) -> 8 {
        Dense(HIDDEN),
        Dense(8),
    }

    pub struct Whole(8) -> 10 {
        mlp: Mlp,
        Dense(10),
    }
}

fn main() {}
