use unrolled::prelude::*;

network! {
    struct Net(28x28x1) -> 10 {
        Conv2d(8, kernel = 3),
        BatchNorm -> 26x26x1,
        ReLU -> 28x28x8,
        LeakyReLU -> 26x26,
        PReLU -> 8,
        ELU -> 25x25x8,
        GELU -> 26x26x9,
        SiLU -> 26x26x7,
        Sigmoid -> 26x8x26,
        Tanh -> 5408,
        Softplus -> 26x26x16,
        HardSwish -> 13x13x8,
        Dropout -> 26x26x4,
        Flatten,
        Dense(10),
        Softmax -> 1,
    }
}

fn main() {}
