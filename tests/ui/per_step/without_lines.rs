use unrolled::prelude::*;

network! {
    struct Net(12x16) -> 12x16 {
        PerStep {},
    }
}

fn main() {}
