use unrolled::prelude::*;

network! {
    struct Net(16) -> 4 {
        PerStep { Dense(8), ReLU, Dense(4) },
    }
}

fn main() {}
