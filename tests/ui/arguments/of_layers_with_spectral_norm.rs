use unrolled::prelude::*;

network! {
    struct First(64x8) -> 64x16 { SNConv1d(16, kernel = 99) }
    struct Second(8x8x16) -> 8x8x16 { SNConv2d(16, kernel = 3, padding = same, groups = 3) }
    struct Third(16) -> 0 { SNDense(0) }
    struct Fourth(16) -> 8 { SNDense(8, names = weight_u) }
    struct Fifth(16) -> 8 { spectral_norm(8) }
    struct Sixth(16) -> 8 { tokens: SNDense(8), SNDense(8, weight = tokens) }
}

fn main() {}
