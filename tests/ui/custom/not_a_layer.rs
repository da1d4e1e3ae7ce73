use unrolled::network;

struct Twice;

network! {
    struct Net(4) -> 2 {
        twice: Twice,
        Dense(2),
    }
}

fn main() {}
