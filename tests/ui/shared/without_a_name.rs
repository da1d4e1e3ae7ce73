use unrolled::prelude::*;

network! {
    pub struct Net(16) -> 16 {
        fc: Dense(16), ReLU,
        same(Dense(16)),
    }
}

fn main() {}
