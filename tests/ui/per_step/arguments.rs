use unrolled::prelude::*;

network! {
    struct Net(12x16x16x1) -> 12x4 {
        PerStep(12) { Flatten, Dense(4) },
    }
}

fn main() {}
