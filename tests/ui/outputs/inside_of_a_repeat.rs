use unrolled::prelude::*;

network! {
    struct Net(16) -> (wide: 16, last: 2) {
        Repeat(2) { wide: Dense(16), ReLU },
        last: Dense(2),
    }
}

fn main() {}
