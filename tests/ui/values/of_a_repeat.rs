use unrolled::prelude::*;

network! {
    struct Net(16) -> 16 {
        Repeat(3) {
            wide: Dense(16),
            ReLU,
        },
        Add { {}, wide },
    }
}

fn main() {}
