use unrolled::prelude::*;

const WIDTH: usize = 12;

network! {
    pub struct Siamese(a: 16, b: [WIDTH]) -> 1 {
        left: a => Dense(8),
        right: b => same(left),
        Sub { left, right },
        Dense(1),
    }
}

fn main() {}
