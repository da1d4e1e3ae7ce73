use unrolled::prelude::*;

const SIDE: u32 = 28;
const HIDDEN: i64 = 32;

network! {
    struct Net([SIDE, SIDE, 1]) -> 10 {
        Flatten,
        Residual { Dense(HIDDEN), ReLU, Dense({ 4 * HIDDEN }) } skip { Dense({ 4 * HIDDEN }) },
        Dense(HIDDEN) -> HIDDEN,
        Dense(10),
    }
}

fn main() {}
