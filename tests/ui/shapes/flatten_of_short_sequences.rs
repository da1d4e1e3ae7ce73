use unrolled::prelude::*;

network! {
    pub struct Net(text: ..64) -> 2 { Embedding(100, 8), Flatten, Dense(2) }
}

fn main() {}
