use unrolled::prelude::*;

network! {
    struct First(64) -> 10 { BatchNorm(eps = 0.0), Dense(10) }
    struct Second(64) -> 10 { BatchNorm(eps = -1e-5), Dense(10) }
    struct Third(64) -> 10 { BatchNorm(momentum = 1.5), Dense(10) }
    struct Fourth(64) -> 10 { BatchNorm(momentum = none), Dense(10) }
    struct Fifth(64) -> 10 { BatchNorm(affine = 1), Dense(10) }
}

fn main() {}
