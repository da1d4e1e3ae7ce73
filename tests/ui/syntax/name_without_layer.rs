use unrolled::prelude::*;

network! {
    struct Net(8) -> 10 {
        fc1: ,
        fc2: Dense(10),
    }
}

fn main() {}
