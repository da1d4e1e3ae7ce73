use unrolled::prelude::*;

network! {
    pub struct Pair(a: 16, b: 8) -> 8 { Concat { a, b }, Dense(8) }

    pub struct Net(a: 16, b: 8) -> 8 {
        pair: Pair { a, b },
        again: same(pair) { pair, b },
        Mul { pair, again },
    }
}

fn main() {}
