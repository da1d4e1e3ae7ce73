use unrolled::prelude::*;

network! {
    struct Net(28x28x1) -> 10 {
        Conv2d(filters = 32, kernel_size = 3, strides = 2, activation = "relu"),
        MaxPool2d(pool_size = 2),
        Flatten,
        Dropout(rate = 0.5),
        Dense(10, use_bias = false),
    }
}

fn main() {}
