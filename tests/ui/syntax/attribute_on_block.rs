use unrolled::prelude::*;

network! {
    #[derive(Clone)]
    block Hidden {
        Dense(16),
    }

    struct Net(8) -> 10 {
        Hidden,
        Dense(10),
    }
}

fn main() {}
