use unrolled::prelude::*;

network! {
    pub struct Net(..64) -> 10 { Dense(10) }
}

fn main() {}
