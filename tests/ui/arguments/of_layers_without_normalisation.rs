use unrolled::prelude::*;

network! {
    struct First(8x8x16) -> 8x8x16 { WSConv2d(16, kernel = 1, groups = 16) }
    struct Second(8x8x16) -> 8x8x16 { WSConv2d(16, kernel = 3, eps = 0) }
    struct Third(8x8x16) -> 8x8x16 { Residual { WSConv2d(16, 3, padding = same), Scale } }
    struct Fourth(8x8x16) -> 8x8x16 { Scale(0.2, trained = false, per_channel = true) }
}

fn main() {}
