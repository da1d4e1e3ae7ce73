//! [`Softsign`]: PyTorch's `nn.Softsign`.

use super::activation::{Activation, activation};
use crate::kernels::Lanes;
use unrolled_shape::rules::softsign;

/// `x / (1 + |x|)`, element by element: `[..] -> [..]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Softsign;

activation!(Softsign);

impl Activation for Softsign {
    type Arguments = softsign::Softsign;

    #[inline(always)]
    fn value<L: Lanes>(_: &Self::Arguments, x: f32) -> f32 {
        // The limit of infinite inputs, whose quotient is NaN.
        let limit = 1.0_f32.copysign(x);
        if x.abs() == f32::INFINITY { limit } else { x / (1.0 + x.abs()) }
    }

    #[cfg(feature = "train")]
    #[inline(always)]
    fn d_x<L: Lanes>(_: &Self::Arguments, x: f32, d_y: f32) -> f32 {
        let reciprocal = 1.0 / (1.0 + x.abs());
        d_y * (reciprocal * reciprocal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::activation::testing::pytorch_test;

    pytorch_test! {
        agrees_with_pytorch: Softsign, softsign::Softsign {},
        outputs: [
            -0.952380952, -0.777777778, -0.75, -0.5, -0.333333333, -0.000999000999, 0.0, 0.2, 0.5,
            0.714285714, 0.75, 0.9,
        ],
        slopes: [
            0.0022675737, 0.049382716, 0.0625, 0.25, 0.444444444, 0.998002996, 1.0, 0.64, 0.25,
            0.0816326531, 0.0625, 0.01,
        ],
    }
}
