use unrolled::prelude::*;

const FEATURES: usize = usize::MAX - 1;

network! {
    struct Units(8) -> 10 { Dense(usize::MAX), ReLU, Dense(10) }
    struct Input([28, FEATURES]) -> 10 { Flatten -> 100, Dense(FEATURES), Dense(10) }
    struct Output(8) -> FEATURES { Dense(10) }
    struct Arrow(8) -> 10 { fc: Dense(10) -> { 2 * (FEATURES / 2) } }
    struct Generic<const N: usize>(N) -> 10 { Dense({ FEATURES - 9 }), Dense(10) }
}

fn main() {}
