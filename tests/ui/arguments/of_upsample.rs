use unrolled::prelude::*;

network! {
    struct First(7x7x16) -> 14x14x16 { Upsample(2, align_corners = true) }
    struct Second(7x7x16) -> 14x14x16 { Upsample(scale_factor = 2) }
    struct Third(7x7x16) -> 14x14x16 { Upsample(2, mode = linear) }
    struct Fourth(49x16) -> 98x16 { Upsample(2) }
}

fn main() {}
