use unrolled::prelude::*;

network! {
    pub struct Siamese(a: 16, b: 16) -> 1 {
        left: a => same(right),
        right: b => Dense(8),
        Sub { left, right },
        Dense(1),
    }
}

fn main() {}
