use unrolled::prelude::*;

network! {
    struct Net(16) -> (digit: 10, digit: 10) {
        digit: Dense(10),
    }
}

fn main() {}
