use unrolled::prelude::*;

network! {
    pub struct Encoder(16) -> 8 { Dense(8), ReLU }

    pub struct Siamese(a: 16, b: 12) -> 1 {
        left: a => Encoder,
        right: b => same(left),
        Sub { left, right },
        Dense(1),
    }
}

fn main() {}
