use unrolled::prelude::*;

network! {
    struct Net<const N: usize>(N) -> 10 where [(); N]: Sized {
        Dense(10),
    }
}

fn main() {}
