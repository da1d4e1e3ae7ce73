use unrolled::prelude::*;

network! {
    struct Net([549755813888, 1]) -> [549755813888, 1] {
        PerStep { Dense(1048576), ReLU, Dense(1) },
    }
}

fn main() {}
