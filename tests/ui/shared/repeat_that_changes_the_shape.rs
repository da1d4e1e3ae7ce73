use unrolled::prelude::*;

network! {
    pub struct Net(16) -> 8 {
        stage: Repeat(2, shared = true) { fc: Dense(8), ReLU },
    }
}

fn main() {}
