use unrolled::prelude::*;

network! {
    struct Largest(20x8) -> 8 {
        MaxPool1d(3, padding = 2),
        GlobalMaxPool,
    }

    struct Average(20x8) -> 8 {
        AvgPool1d(2, padding = 2),
        GlobalAvgPool,
    }
}

fn main() {}
