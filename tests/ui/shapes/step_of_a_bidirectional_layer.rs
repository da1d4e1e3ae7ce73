use unrolled::prelude::*;

network! {
    struct Tagger(9x3) -> 9x4 {
        Dense(8), ReLU,
        reader: LSTM(4, bidirectional = true),
        Dense(4),
    }

    struct Wave(9x3) -> 9x4 { Conv1d(4, kernel = 3, padding = same) }
}

fn main() {
    let mut state = State::<Tagger>::new();
    let _ = Tagger::new(1).step(&mut state, &[0.0; 3]);

    let mut state = State::<Wave>::new();
    let _ = Wave::new(1).step(&mut state, &[0.0; 3]);
}
