use unrolled::prelude::*;

network! {
    struct Net(28x28x1) -> 10 {
        Flatten,
        Concat {
            { left: Dense(8) },
            left => { ReLU },
        },
        Dense(10),
    }
}

fn main() {}
