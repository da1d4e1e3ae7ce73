use unrolled::prelude::*;

network! {
    struct Net(28x28x1) -> 10 {
        Concat {
            { Conv2d(8, kernel = 3, padding = same) },
            late => { ReLU },
        },
        late: Conv2d(8, kernel = 3),
        Flatten,
        Dense(10),
    }
}

fn main() {}
