use unrolled::prelude::*;

network! {
    pub struct Digits(64) -> 10 { Dense(32), ReLU, Dense(10) }
}

unrolled::c_api!(Digits);

fn main() {}
