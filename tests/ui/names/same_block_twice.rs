use unrolled::prelude::*;

network! {
    block Hidden { Dense(16) }
    block Hidden { Dense(32) }

    struct Net(8) -> 10 {
        Hidden,
        Dense(10),
    }
}

fn main() {}
