use unrolled::prelude::*;

network! {
    struct Net(28x28x1) -> 10 {
        conv1: nn.Conv2d(32, 3),
        nn.ReLU(),
        Flatten,
        Dense(10),
    }
}

fn main() {}
