use unrolled::prelude::*;

const STEPS: usize = 12;
const SIDE: usize = 8;

network! {
    struct Net([STEPS, SIDE, SIDE, 1]) -> [STEPS, 4] {
        PerStep { Conv2d(8, kernel = 3), ReLU, Conv2d(8, kernel = 7), Flatten, Dense(4) },
    }

    struct Single(STEPS) -> 4 {
        PerStep { Dense(4) },
    }
}

fn main() {}
