use unrolled::prelude::*;

network! {
    pub struct Net(8) -> 8 {
        Dense(8),
        again: Net,
    }
}

fn main() {}
