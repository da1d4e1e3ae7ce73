use unrolled::prelude::*;

network! {
    struct Net(12x16x16x1) -> 12x4 {
        TimeDistributed { Conv2d(8, kernel = 3) },
        TimeDistributed(Flatten),
        Dense(4),
    }
}

fn main() {}
