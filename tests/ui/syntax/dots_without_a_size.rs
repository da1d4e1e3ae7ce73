use unrolled::prelude::*;

network! {
    pub struct Net(text: ..) -> 4 { Embedding(100, 8), LSTM(4, output = last) }
}

fn main() {}
