use unrolled::prelude::*;

network! {
    struct Inner(16) -> 16 {
        wide: Dense(16),
    }

    struct Net(16) -> 16 {
        inner: Inner,
        Dense(16, weight = inner),
    }
}

fn main() {}
