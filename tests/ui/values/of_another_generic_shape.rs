use unrolled::prelude::*;

network! {
    struct Net<const WIDTH: usize>(8) -> 10 {
        skip: Dense(WIDTH),
        Dense(8),
        Add { {}, skip },
        Dense(10),
    }
}

fn main() {
    let _ = Net::<16>::new(1);
}
