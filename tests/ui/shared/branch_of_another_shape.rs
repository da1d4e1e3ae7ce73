use unrolled::prelude::*;

network! {
    pub struct Net(a: 16, b: 16, c: 12) -> 8 {
        mix: Add { a => { Dense(8) }, b => { Dense(8) } },
        again: same(mix) { b, c },
        Mul { mix, again },
    }
}

fn main() {}
