use unrolled::prelude::*;

const SMALL: usize = 3;
const LARGE: usize = 5;

network! {
    struct Net(28x28x1) -> 10 {
        Concat {
            { Conv2d(8, kernel = SMALL) },
            { Conv2d(8, kernel = LARGE) },
        },
        Flatten,
        Dense(10),
    }
}

fn main() {}
