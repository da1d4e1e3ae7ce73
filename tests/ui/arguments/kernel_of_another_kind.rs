use unrolled::prelude::*;

network! {
    struct Net(28x28x1) -> 10 {
        Conv2d(32, kernel = (3, 3, 3)),
        Conv2d(32, kernel = 3x3),
        Conv2d(32, kernel = [3, 3]),
        Conv2d(32, kernel = 1.5),
        Flatten,
        Dense(10),
    }
}

fn main() {}
