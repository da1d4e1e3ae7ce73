use unrolled::prelude::*;

network! {
    struct First(8x8x12) -> 8x8x12 { GroupNorm(5) }
    struct Second(8x8x12) -> 8x8x12 { GroupNorm }
    struct Third(12) -> 12 { GroupNorm(12) }
    struct Fourth(8x8x12) -> 8x8x12 { GroupNorm(num_groups = 4) }
}

fn main() {}
