use unrolled::prelude::*;

network! {
    struct Unused(8) -> 8 { Dense(8) }
}

fn main() {
    let hidden = std::env::args().count();
    network! {
        struct Net(8) -> 10 {
            Dense(hidden),
            Dense(10),
        }
    }
}
