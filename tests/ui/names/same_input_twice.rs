use unrolled::prelude::*;

network! {
    struct Fusion(x: 12, x: 12) -> 3 {
        Add { x => { Dense(3) }, x => { Dense(3) } },
    }
}

fn main() {}
