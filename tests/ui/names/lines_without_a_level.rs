use unrolled::prelude::*;

network! {
    struct Net(28x28x1) -> 10 {
        Flatten,
        _: Dense(10),
    }

    block Halves(units) { fc: Dense(units) }

    struct Twice(8) -> 10 {
        Repeat(2) { _: Dense(8), _: Dense(8) },
        head: [_: Halves(8), _: Halves(10)],
    }
}

fn main() {}
