use unrolled::prelude::*;

network! {
    block Up {
        Concat { {}, skip },
        Dense(16),
    }

    struct Net(16) -> 16 {
        skip: Dense(16),
        ReLU,
        Up,
    }
}

fn main() {}
