use unrolled::prelude::*;

network! {
    struct Net(28x28x1) -> 10 {
        Residuel {
            Conv2d(1, kernel = 3, padding = same),
        },
        Repaet(2) {
            ReLU,
        },
        Flatten,
        Dense(10),
    }
}

fn main() {}
