use unrolled::prelude::*;

network! {
    block Up(skip, units) { Add { { Dense(units) }, skip } }

    pub struct Net(a: 16, b: 8) -> 8 {
        up: a => Up(b, 8),
        again: a => same(up, skip = 8),
        units: a => same(up, units = b),
        Add { up, again, units },
    }
}

fn main() {}
