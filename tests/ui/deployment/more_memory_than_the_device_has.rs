use unrolled::prelude::*;

network! {
    #[fits(flash = 256K, ram = 64K)]
    pub struct Digits(28x28x1) -> 10 {
        conv1: Conv2d(32, kernel = 3), ReLU, MaxPool2d(2),
        conv2: Conv2d(64, kernel = 3), ReLU, MaxPool2d(2),
        Flatten,
        fc1: Dense(128), ReLU,
        fc2: Dense(10),
    }

    #[fits(ram = 8K)]
    pub struct Skips(16x16x4) -> 16x16x4 {
        Residual {
            conv1: Conv2d(4, kernel = 3, padding = 1), ReLU,
            conv2: Conv2d(4, kernel = 3, padding = 1),
        },
    }
}

fn main() {}
