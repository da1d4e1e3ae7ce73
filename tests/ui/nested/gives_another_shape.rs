use unrolled::prelude::*;

network! {
    pub struct Encoder(28x28x1) -> 32 {
        Flatten,
        Dense(32),
    }

    pub struct Classifier(28x28x1) -> 10 {
        encoder: Encoder -> 64,
        Dense(10),
    }
}

fn main() {}
