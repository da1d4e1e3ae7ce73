use unrolled::prelude::*;

const WIDTH: usize = 12;

network! {
    pub struct Net(a: 16, b: 16, c: [WIDTH]) -> 8 {
        mix: Add { a => { Dense(8) }, b => { Dense(8) } },
        again: same(mix) { b, c },
        Mul { mix, again },
    }
}

fn main() {}
