use unrolled::prelude::*;

network! {
    struct Net(8) -> 10 { Dense(10) }
}

network! {
    struct Net(9) -> 10 { Dense(10) }
}

fn main() {}
