use unrolled::prelude::*;

network! {
    struct Net(video: 12x8x8x1, place: 4) -> 12x4 {
        position: place => Dense(4),
        video => PerStep { Flatten, Dense(4), Add { {}, position }, MultiHeadAttention(2, memory = position) },
    }
}

fn main() {}
