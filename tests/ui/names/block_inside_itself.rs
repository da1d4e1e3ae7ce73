use unrolled::prelude::*;

network! {
    block Outer {
        Dense(16),
        Inner,
    }
    block Inner {
        ReLU,
        Outer,
    }

    struct Net(8) -> 10 {
        Outer,
        Dense(10),
    }
}

fn main() {}
