//! [`Neg`]: PyTorch's `torch.neg`.

use super::activation::{Activation, in_place_activation};
use crate::kernels::Lanes;
use unrolled_shape::rules::neg;

/// `-x`, element by element: `[..] -> [..]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Neg;

in_place_activation!(Neg);

impl Activation for Neg {
    type Arguments = neg::Neg;

    #[inline(always)]
    fn value<L: Lanes>(_: &Self::Arguments, x: f32) -> f32 {
        -x
    }

    #[cfg(feature = "train")]
    #[inline(always)]
    fn d_x<L: Lanes>(_: &Self::Arguments, _: f32, d_y: f32) -> f32 {
        -d_y
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::activation::testing::pytorch_test;
    use crate::layers::testing::OutOfPlace;

    pytorch_test! {
        agrees_with_pytorch: OutOfPlace<Neg>, neg::Neg {},
        outputs: [20.0, 3.5, 3.0, 1.0, 0.5, 0.001, -0.0, -0.25, -1.0, -2.5, -3.0, -9.0],
        slopes: [-1.0, -1.0, -1.0, -1.0, -1.0, -1.0, -1.0, -1.0, -1.0, -1.0, -1.0, -1.0],
    }
}
