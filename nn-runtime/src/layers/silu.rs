//! [`SiLU`]: PyTorch's `nn.SiLU`.

use super::activation::{Activation, activation};
use crate::kernels::Lanes;
use crate::kernels::elementwise::sigmoid;
use unrolled_shape::rules::silu;

/// `x * sigmoid(x)`, element by element: `[..] -> [..]`.
#[derive(Clone, Debug, PartialEq)]
pub struct SiLU;

activation!(SiLU);

impl Activation for SiLU {
    type Arguments = silu::SiLU;

    #[inline(always)]
    fn value<L: Lanes>(_: &Self::Arguments, x: f32) -> f32 {
        x * sigmoid::<L>(x)
    }

    #[cfg(feature = "train")]
    #[inline(always)]
    fn d_x<L: Lanes>(_: &Self::Arguments, x: f32, d_y: f32) -> f32 {
        let s = sigmoid::<L>(x);
        d_y * (s * (1.0 + x * (1.0 - s)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::activation::testing::pytorch_test;

    pytorch_test! {
        agrees_with_pytorch: SiLU, silu::SiLU {},
        outputs: [
            -4.12230724e-8, -0.102592808, -0.14227762, -0.268941421, -0.188770334, -0.00049975,
            0.0, 0.140544125, 0.731058579, 2.31035455, 2.85772238, 8.99888945,
        ],
        slopes: [
            -3.91619187e-8, -0.0702733528, -0.088104106, 0.0723294881, 0.260038813, 0.4995,
            0.5, 0.623710022, 0.927670512, 1.09940111, 1.08810411, 1.00098702,
        ],
    }
}
