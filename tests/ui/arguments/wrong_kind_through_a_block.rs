use unrolled::prelude::*;

network! {
    block Hidden(units, rate) {
        Dense(units),
        Dropout(rate),
    }

    struct Net(28x28x1) -> 10 {
        Flatten,
        Hidden(128, 0.5),
        Hidden(0.5, 128),
        Dense(10),
    }
}

fn main() {}
