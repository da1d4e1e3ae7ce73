use unrolled::prelude::*;

network! {
    struct Net(28x28x1) -> 10 {
        Conv2D(32, kernel = 3),
        BatchNormalization,
        Activation("relu"),
        MaxPooling2D(2),
        GlobalAveragePooling2D,
        Dense(10),
    }
}

fn main() {}
