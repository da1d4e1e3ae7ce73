//! [`Sqrt`]: PyTorch's `torch.sqrt`.

use super::activation::{Activation, in_place_activation};
use crate::kernels::Lanes;
#[cfg(not(feature = "std"))]
use crate::system::FloatMath;
use unrolled_shape::rules::sqrt;

/// `sqrt(x)`, element by element: `[..] -> [..]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Sqrt;

in_place_activation!(Sqrt);

impl Activation for Sqrt {
    type Arguments = sqrt::Sqrt;

    #[inline(always)]
    fn value<L: Lanes>(_: &Self::Arguments, x: f32) -> f32 {
        x.sqrt()
    }

    #[cfg(feature = "train")]
    #[inline(always)]
    fn d_x<L: Lanes>(_: &Self::Arguments, y: f32, d_y: f32) -> f32 {
        d_y / (2.0 * y)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::activation::testing::pytorch_test;
    use crate::layers::testing::OutOfPlace;

    pytorch_test! {
        agrees_with_pytorch: OutOfPlace<Sqrt>, sqrt::Sqrt {},
        at positive, outputs: [
            0.0883883477, 0.176776695, 0.5, std::f64::consts::FRAC_1_SQRT_2, 0.866025404, 1.0, 1.22474487, std::f64::consts::SQRT_2,
            1.58113883, 1.73205081, 3.0, 10.0,
        ],
        slopes: [
            5.65685425, 2.82842713, 1.0, std::f64::consts::FRAC_1_SQRT_2, 0.577350269, 0.5, 0.40824829, 0.353553391,
            0.316227766, 0.288675135, 0.166666667, 0.05,
        ],
    }
}
