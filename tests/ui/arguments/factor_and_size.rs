use unrolled::prelude::*;

network! {
    struct Net(28x28x3) -> 10 {
        Upsample(2, size = (56, 56)),
        Flatten,
        Dense(10),
    }
}

fn main() {}
