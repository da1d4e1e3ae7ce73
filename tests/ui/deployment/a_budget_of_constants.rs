use unrolled::prelude::*;

const CHANNELS: usize = 16;

network! {
    #[fits(flash = 4K, ram = 16K)]
    pub struct Speech(49x40) -> 4 {
        conv: Conv1d(CHANNELS, 5, padding = same), ReLU,
        lstm: LSTM(24, output = last),
        Dense(4),
    }
}

fn main() {}
