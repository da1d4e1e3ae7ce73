use unrolled::prelude::*;

network! {
    struct Net(image: 4x4x1, table: 3) -> 3 {
        image -> Flatten,
        Concat { {}, table },
        Dense(3),
    }
}

fn main() {}
