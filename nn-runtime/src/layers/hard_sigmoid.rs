//! [`HardSigmoid`]: PyTorch's `nn.Hardsigmoid`.

use super::activation::{Activation, activation};
use crate::kernels::Lanes;
use unrolled_shape::rules::hard_sigmoid;

/// `min(max(x + 3, 0), 6) / 6`, element by element: `[..] -> [..]`.
#[derive(Clone, Debug, PartialEq)]
pub struct HardSigmoid;

activation!(HardSigmoid);

impl Activation for HardSigmoid {
    type Arguments = hard_sigmoid::HardSigmoid;

    #[inline(always)]
    fn value<L: Lanes>(_: &Self::Arguments, x: f32) -> f32 {
        (x + 3.0).clamp(0.0, 6.0) / 6.0
    }

    #[cfg(feature = "train")]
    #[inline(always)]
    fn d_x<L: Lanes>(_: &Self::Arguments, x: f32, d_y: f32) -> f32 {
        if x > -3.0 && x < 3.0 {
            d_y / 6.0
        } else {
            // NaN stays.
            0.0 * x
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::activation::testing::pytorch_test;

    pytorch_test! {
        agrees_with_pytorch: HardSigmoid, hard_sigmoid::HardSigmoid {},
        outputs: [
            0.0, 0.0, 0.0, 0.333333333, 0.416666667, 0.499833333, 0.5, 0.541666667, 0.666666667,
            0.916666667, 1.0, 1.0,
        ],
        slopes: [
            0.0, 0.0, 0.0, 0.166666672, 0.166666672, 0.166666672, 0.166666672, 0.166666672,
            0.166666672, 0.166666672, 0.0, 0.0,
        ],
    }
}
