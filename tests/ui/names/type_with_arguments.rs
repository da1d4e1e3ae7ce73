use unrolled::prelude::*;

struct Mixer;

network! {
    struct Net(28x28x1) -> 10 {
        mix: Mixer(64),
        Dense(10),
    }
}

fn main() {}
