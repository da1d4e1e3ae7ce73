use unrolled::prelude::*;

network! {
    struct Fusion(28x28x1, 12) -> 3 {
        Flatten,
        Dense(3),
    }
}

fn main() {}
