use unrolled::prelude::*;

network! {
    pub struct Net(16) -> 16 {
        Repeat(2) { fc: Dense(16), ReLU },
        same(fc),
    }
}

fn main() {}
