use unrolled::prelude::*;

network! {
    pub struct Fusion(image: 28x28x1, table: 12) -> 3 {
        Concat {
            image => { Flatten, Dense(8) },
            table => {},
        },
        Dense(3),
    }

    pub struct Whole(28x28x1) -> 10 {
        fusion: Fusion,
        Dense(10),
    }
}

fn main() {}
