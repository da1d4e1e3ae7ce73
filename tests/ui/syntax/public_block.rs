use unrolled::prelude::*;

network! {
    pub block Hidden(units) {
        Dense(units),
        ReLU,
    }

    struct Net(8) -> 10 {
        Hidden(16),
        Dense(10),
    }
}

fn main() {}
