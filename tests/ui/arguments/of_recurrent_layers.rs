use unrolled::prelude::*;

network! {
    struct First(20x8) -> 10 { LSTM(0), Flatten, Dense(10) }
    struct Second(20x8) -> 10 { LSTM(32, output = first), Dense(10) }
    struct Third(20x8) -> 10 { LSTM(hidden_size = 32), Dense(10) }
    struct Fourth(20x8) -> 10 { GRU(32, layers = 0), Flatten, Dense(10) }
    struct Fifth(20x8) -> 10 { GRU(32, bidirectional = yes), Flatten, Dense(10) }
    struct Sixth(20x8) -> 10 { GRU(32, num_layers = 2), Flatten, Dense(10) }
    struct Seventh(20x8) -> 10 { RNN(32, nonlinearity = "relu"), Flatten, Dense(10) }
    struct Projected(20x8) -> 10 { LSTM(32, projection = 32), Flatten, Dense(10) }
    struct Cells(20x8) -> 10 { LSTM(32, layers = 2, names = cell), Flatten, Dense(10) }
    struct Begun(text: 20x8, h: 32) -> 10 {
        text => GRU(32, layers = 2, state = h, output = last),
        Dense(10),
    }
    struct BegunWithSteps(text: 20x8, h: 20x32) -> 10 {
        text => LSTM(32, cell = h, output = last),
        Dense(10),
    }
    struct Eighth(20x8) -> 10 { RNN(32, dropout = 20), Flatten, Dense(10) }
}

fn main() {}
