use unrolled::prelude::*;

network! {
    struct Net(28x28x1) -> 10 {
        Flatten,
        #[cfg(feature = "large")]
        Dense(128),
        Dense(10),
    }
}

fn main() {}
