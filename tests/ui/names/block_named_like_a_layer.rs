use unrolled::prelude::*;

network! {
    block Dense(units) {
        ReLU,
    }

    struct Net(8) -> 10 {
        Dense(10),
    }
}

fn main() {}
