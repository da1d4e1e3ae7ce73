use unrolled::prelude::*;

network! {
    struct Fusion(image: 28x28x1, table: 12) -> 3 {
        Concat {
            image => { Flatten },
            { Dense(12) },
        },
        Dense(3),
    }
}

fn main() {}
