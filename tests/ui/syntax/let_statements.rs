use unrolled::prelude::*;

network! {
    struct Net(28x28x1) -> 10 {
        let x = Flatten;
        let x = Dense(10);
    }
}

fn main() {}
