use unrolled::prelude::*;

network! {
    fn net(28x28x1) -> 10 {
        Flatten,
        Dense(10),
    }
}

fn main() {}
