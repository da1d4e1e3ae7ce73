use unrolled::prelude::*;

network! {
    struct Perceptron(784) -> 10 {
        fc1: Dense(128),
        fc2: Dense(10),
        Softmax,
    }

    struct Classifier(3x224x224) -> 10 {
        Repeat(4) { Conv2d(16, kernel = 3, stride = 2, padding = 1), BatchNorm(momentum = 0.99), ReLU },
        GlobalAvgPool,
        Dense(10),
    }

    struct Sentiment(text: 64) -> 2 {
        words: Embedding(10000, 64),
        reader: TransformerEncoder(64, heads = 4, hidden = 128),
        GlobalAvgPool,
        verdict: Dense(2),
    }
}

fn main() {
    let _: () = "trybuild shows warnings beside an error only";
}
