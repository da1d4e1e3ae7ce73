use unrolled::prelude::*;

network! {
    struct Net(10) -> 10 {

    }
}

fn main() {}
