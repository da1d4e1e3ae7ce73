use unrolled::prelude::*;

network! {
    pub struct Net(16) -> 1 {
        body: { Dense(16), ReLU, same(body) },
        Dense(1),
    }
}

fn main() {}
