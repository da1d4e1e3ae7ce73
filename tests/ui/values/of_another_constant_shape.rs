use unrolled::prelude::*;

const WIDTH: usize = 16;

network! {
    struct Net(WIDTH) -> 10 {
        skip: Dense({ WIDTH + 1 }),
        Dense(WIDTH),
        Add { {}, skip },
        Dense(10),
    }
}

fn main() {}
