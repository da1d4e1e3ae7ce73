use unrolled::prelude::*;

network! {
    struct First(28x28x1) -> 10 { Flatten, LSTM(32, output = last), Dense(10) }
    struct Second(28x28x1) -> 10 { GRU(32, output = last), Dense(10) }
    struct Third(28x28x1) -> 10 { Flatten, RNN(32), Dense(10) }
}

fn main() {}
