use unrolled::prelude::*;

const CLASSES: usize = 12;

network! {
    struct Net(16) -> (digit: 10, place: 2) {
        shared: Dense(16),
        digit: Dense(CLASSES),
        place: shared => Dense(2),
    }
}

fn main() {}
