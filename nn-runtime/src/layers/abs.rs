//! [`Abs`]: PyTorch's `torch.abs`.

use super::activation::{Activation, activation};
use crate::kernels::Lanes;
use unrolled_shape::rules::abs;

/// `|x|`, element by element: `[..] -> [..]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Abs;

activation!(Abs);

impl Activation for Abs {
    type Arguments = abs::Abs;

    #[inline(always)]
    fn value<L: Lanes>(_: &Self::Arguments, x: f32) -> f32 {
        x.abs()
    }

    #[cfg(feature = "train")]
    #[inline(always)]
    fn d_x<L: Lanes>(_: &Self::Arguments, x: f32, d_y: f32) -> f32 {
        // 0 at 0, as in PyTorch, where `signum` is 1.
        if x == 0.0 { 0.0 } else { d_y * x.signum() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::activation::testing::pytorch_test;

    pytorch_test! {
        agrees_with_pytorch: Abs, abs::Abs {},
        outputs: [20.0, 3.5, 3.0, 1.0, 0.5, 0.001, 0.0, 0.25, 1.0, 2.5, 3.0, 9.0],
        slopes: [-1.0, -1.0, -1.0, -1.0, -1.0, -1.0, 0.0, 1.0, 1.0, 1.0, 1.0, 1.0],
    }
}
