use unrolled::prelude::*;

network! {
    struct Net(16) -> 32 {
        encoded: Dense(16),
        ReLU,
        Concat { {}, encodde },
    }
}

fn main() {}
