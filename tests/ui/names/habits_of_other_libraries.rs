use unrolled::prelude::*;

network! {
    struct First(28x28x1) -> 10 {
        nn::Conv2d(1, 32, 3),
        Conv2d(1, 32, 3),
        Activation("relu"),
        Dropout2d(0.25),
        Flatten,
        Dense(128, activation = "relu"),
        Dropout(50%),
        Dense(128, 10),
    }

    struct Second(28x28x1) -> 10 {
        Input(28, 28, 1),
        a: Sequential { Flatten, Dense(10), ReLU },
        b: BatchNorm(10),
        Add(a, b),
        Dropout(1/2),
        SeparableConv2D(8, 3),
    }

    struct Third(784) -> 10 {
        a: Dense(10),
        for i in 0..3 { Dense(10), ReLU },
        a + a,
        let b = Dense(10),
        Dense[10],
    }

    struct Fourth(32x28x28x1) -> 10 {
        Conv2d(8, kernel = 3), Flatten, Dense(10),
    }

    struct Fifth(batch, 784) -> 10 {
        Dense(10),
    }
}

fn main() {}
