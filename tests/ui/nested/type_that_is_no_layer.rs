use unrolled::prelude::*;

struct Config;

network! {
    struct Net(8) -> 10 {
        config: Config,
        Dense(10),
    }
}

fn main() {}
