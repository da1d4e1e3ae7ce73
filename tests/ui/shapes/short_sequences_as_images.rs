use unrolled::prelude::*;

network! {
    pub struct Net(..28x28x1) -> 26x26x4 { Conv2d(4, kernel = 3) }
}

fn main() {}
