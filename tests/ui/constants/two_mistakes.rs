use unrolled::prelude::*;

const KERNEL: usize = 3;
const HIDDEN: usize = 32;

network! {
    struct Net(28x28x1) -> 10 {
        conv1: Conv2d(8, kernel = KERNEL) -> 25x25x8,
        Flatten,
        fc1: Dense(HIDDEN) -> 64,
        ReLU, fc2: Dense(10),
    }
}

fn main() {}
