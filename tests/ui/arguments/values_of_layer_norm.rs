use unrolled::prelude::*;

network! {
    struct First(64x32) -> 64x32 { LayerNorm(eps = 0.0) }
    struct Second(64x32) -> 64x32 { LayerNorm(elementwise_affine = false) }
    struct Third(64x32) -> 64x32 { LayerNorm(32) }
    struct OfThreeAxes(64x32) -> 64x32 { LayerNorm(axes = 3) }
    struct OfSteps(..64x32) -> 64x32 { LayerNorm(axes = 2) }
    struct Fourth(64x32) -> 64x32 { RMSNorm(eps = -1.0) }
    struct Fifth(64x32) -> 64x32 { RMSNorm(bias = true) }
}

fn main() {}
