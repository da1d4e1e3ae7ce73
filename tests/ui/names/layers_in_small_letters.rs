use unrolled::prelude::*;

network! {
    struct Net(28x28x1) -> 10 {
        conv2d(32, kernel = 3),
        relu,
        maxpool2d(2),
        flatten,
        dense(10),
    }
}

fn main() {}
