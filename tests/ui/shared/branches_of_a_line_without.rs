use unrolled::prelude::*;

network! {
    pub struct Net(a: 16, b: 16) -> 8 {
        fc: a => Dense(8),
        again: same(fc) { a, b },
        Add { fc, again },
    }
}

fn main() {}
