use unrolled::prelude::*;

network! {
    struct Net(12x8x8x1) -> 12x4 {
        PerStep { flat: Flatten, Dense(4) },
        Add { {}, flat => { Dense(4) } },
    }
}

fn main() {}
