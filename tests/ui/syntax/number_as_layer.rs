use unrolled::prelude::*;

network! {
    struct Net(784) -> 10 {
        784,
        128,
        10,
    }
}

fn main() {}
