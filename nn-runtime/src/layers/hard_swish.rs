//! [`HardSwish`]: PyTorch's `nn.Hardswish`.

use super::activation::{Activation, activation};
use crate::kernels::Lanes;
use unrolled_shape::rules::hard_swish;

/// `x * min(max(x + 3, 0), 6) / 6`, element by element: `[..] -> [..]`.
#[derive(Clone, Debug, PartialEq)]
pub struct HardSwish;

activation!(HardSwish);

impl Activation for HardSwish {
    type Arguments = hard_swish::HardSwish;

    #[inline(always)]
    fn value<L: Lanes>(_: &Self::Arguments, x: f32) -> f32 {
        x * (x + 3.0).clamp(0.0, 6.0) / 6.0
    }

    #[cfg(feature = "train")]
    #[inline(always)]
    fn d_x<L: Lanes>(_: &Self::Arguments, x: f32, d_y: f32) -> f32 {
        let slope = if x >= 3.0 { 1.0 } else { x / 3.0 + 0.5 };
        if x <= -3.0 { 0.0 } else { d_y * slope }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::activation::testing::pytorch_test;

    pytorch_test! {
        agrees_with_pytorch: HardSwish, hard_swish::HardSwish {},
        outputs: [
            0.0, 0.0, 0.0, -0.333333333, -0.208333333, -0.000499833333, 0.0, 0.135416667,
            0.666666667, 2.29166667, 3.0, 9.0,
        ],
        slopes: [
            0.0, 0.0, 0.0, 0.166666667, 0.333333333, 0.499666667, 0.5, 0.583333333,
            0.833333333, 1.33333333, 1.0, 1.0,
        ],
    }
}
