use unrolled::prelude::*;

network! {
    struct First(28x28x1) -> 10 { Dense(99999999999999999999999), Dense(10) }
    struct Second(28x28x1) -> 10 { Dense(1_000_000_000_000_000), Dense(10) }
    struct Third(28x28x1) -> 10 { Conv2d(1_000_000_000, kernel = 1000, padding = 500), Dense(10) }
}

fn main() {}
