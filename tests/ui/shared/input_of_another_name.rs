use unrolled::prelude::*;

network! {
    pub struct Net(a: 5x8, b: 7x8, c: 7x8) -> 5x8 {
        attend: a => MultiHeadAttention(2, memory = b),
        again: attend => same(attend, memry = c),
        Add { attend, again },
    }
}

fn main() {}
