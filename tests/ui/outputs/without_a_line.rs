use unrolled::prelude::*;

network! {
    struct Net(16) -> (digit: 10, place: 2) {
        shared: Dense(16),
        digit: Dense(10),
        shared => Dense(2),
    }
}

fn main() {}
