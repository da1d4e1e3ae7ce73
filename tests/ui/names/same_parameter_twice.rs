use unrolled::prelude::*;

network! {
    block Hidden(units, units) {
        Dense(units),
    }

    struct Net(8) -> 10 {
        Hidden(10, 10),
    }
}

fn main() {}
