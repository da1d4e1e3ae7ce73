use unrolled::prelude::*;

network! {
    struct First(64x8) -> 64x16 { WNConv1d(16, kernel = 99) }
    struct Second(8x8x16) -> 8x8x16 { WNConv2d(16, kernel = 3, padding = same, groups = 3) }
    struct Third(16) -> 0 { WNDense(0) }
    struct Fourth(16) -> 8 { WNDense(8, names = weight_v) }
    struct Fifth(16) -> 8 { weight_norm(8) }
    struct Sixth(16) -> 8 { tokens: WNDense(8), WNDense(8, weight = tokens) }
}

fn main() {}
