//! [`LeakyReLU`]: PyTorch's `nn.LeakyReLU`.

use super::activation::{Activation, in_place_activation};
use crate::kernels::Lanes;
use unrolled_shape::rules::leaky_relu;

/// `x` above 0, `slope * x` below, element by element: `[..] -> [..]`.
#[derive(Clone, Debug, PartialEq)]
pub struct LeakyReLU;

in_place_activation!(LeakyReLU);

impl Activation for LeakyReLU {
    type Arguments = leaky_relu::LeakyReLU;

    #[inline(always)]
    fn value<L: Lanes>(arguments: &Self::Arguments, x: f32) -> f32 {
        if x > 0.0 { x } else { arguments.slope as f32 * x }
    }

    #[cfg(feature = "train")]
    #[inline(always)]
    fn d_x<L: Lanes>(arguments: &Self::Arguments, y: f32, d_y: f32) -> f32 {
        // The slope is at least 0: the output is above 0 where the input is.
        if y > 0.0 { d_y } else { arguments.slope as f32 * d_y }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::activation::testing::pytorch_test;
    use crate::layers::testing::OutOfPlace;

    pytorch_test! {
        agrees_with_pytorch: OutOfPlace<LeakyReLU>, leaky_relu::LeakyReLU { slope: 0.125 },
        outputs: [
            -2.5, -0.4375, -0.375, -0.125, -0.0625, -0.000125, 0.0, 0.25, 1.0, 2.5, 3.0, 9.0,
        ],
        slopes: [0.125, 0.125, 0.125, 0.125, 0.125, 0.125, 0.125, 1.0, 1.0, 1.0, 1.0, 1.0],
    }
}
