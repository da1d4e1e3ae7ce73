use unrolled::prelude::*;

network! {
    pub struct Siamese(a: 16, b: 16) -> 1 {
        left: a => ReLU,
        right: b => same(left),
        Sub { left, right },
        Dense(1),
    }
}

fn main() {}
