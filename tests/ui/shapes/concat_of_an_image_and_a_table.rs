use unrolled::prelude::*;

network! {
    struct Fusion(image: 28x28x1, table: 12) -> 3 {
        Concat {
            image => { Conv2d(16, kernel = 3), ReLU, MaxPool2d(2) },
            table => { Dense(32), ReLU },
        },
        Dense(64), ReLU,
        Dense(3),
    }
}

fn main() {}
