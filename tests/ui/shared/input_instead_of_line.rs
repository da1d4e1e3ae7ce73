use unrolled::prelude::*;

network! {
    pub struct Siamese(a: 16, b: 16) -> 1 {
        left: a => Dense(8),
        right: left => same(b),
        Sub { left, right },
        Dense(1),
    }
}

fn main() {}
