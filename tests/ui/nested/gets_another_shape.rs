use unrolled::prelude::*;

network! {
    pub struct Encoder(28x28x1) -> 32 {
        Flatten,
        Dense(32),
    }

    pub struct Classifier(28x28x1) -> 10 {
        MaxPool2d(2),
        encoder: Encoder,
        Dense(10),
    }
}

fn main() {}
