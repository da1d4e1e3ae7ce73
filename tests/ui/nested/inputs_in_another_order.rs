use unrolled::prelude::*;

network! {
    pub struct Fusion(image: 28x28x1, table: 12) -> 3 {
        Concat {
            image => { Flatten, Dense(8) },
            table => {},
        },
        Dense(3),
    }

    pub struct Whole(picture: 28x28x1, numbers: 12) -> 10 {
        fusion: Fusion { numbers => {}, picture => {} },
        Dense(10),
    }
}

fn main() {}
