use unrolled::prelude::*;

network! {
    struct Fusion(image: 28x28x1, table: 12, sound: 64) -> 3 {
        Concat {
            image => { Flatten, Dense(32) },
            table => { Dense(32) },
        },
        Dense(3),
    }
}

fn main() {}
