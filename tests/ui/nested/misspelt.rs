use unrolled::prelude::*;

network! {
    pub struct Encoder(28x28x1) -> 32 {
        Flatten,
        Dense(32),
    }

    pub struct Classifier(28x28x1) -> 10 {
        encoder: Encodr,
        Dense(10),
    }
}

fn main() {}
