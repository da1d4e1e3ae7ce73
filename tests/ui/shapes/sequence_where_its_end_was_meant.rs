use unrolled::prelude::*;

network! {
    struct First(20x8) -> 10 { LSTM(32), Dense(10) }
}

fn main() {}
