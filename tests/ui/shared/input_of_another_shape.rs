use unrolled::prelude::*;

network! {
    block Encoder() { conv1: Conv2d(8, kernel = 3), ReLU, Flatten, Dense(8) }

    pub struct Siamese(a: 28x28x1, b: 14x14x1) -> 1 {
        left: a => Encoder(),
        right: b => same(left),
        Sub { left, right },
        Dense(1),
    }
}

fn main() {}
