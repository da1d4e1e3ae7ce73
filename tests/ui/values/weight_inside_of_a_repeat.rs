use unrolled::prelude::*;

network! {
    struct Net(16) -> 16 {
        Repeat(3) {
            wide: Dense(16),
            ReLU,
        },
        Dense(16, weight = wide),
    }
}

fn main() {}
