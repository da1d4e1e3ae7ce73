//! [`Mish`]: PyTorch's `nn.Mish`.

use super::activation::{Activation, activation};
use crate::kernels::Lanes;
#[cfg(feature = "train")]
use crate::kernels::elementwise::sigmoid;
use crate::kernels::elementwise::{softplus, tanh};
use unrolled_shape::rules::mish;

/// `x * tanh(ln(1 + exp(x)))`, element by element (Misra, 2019): `[..] -> [..]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Mish;

activation!(Mish);

impl Activation for Mish {
    type Arguments = mish::Mish;

    #[inline(always)]
    fn value<L: Lanes>(_: &Self::Arguments, x: f32) -> f32 {
        x * tanh::<L>(softplus::<L>(x))
    }

    #[cfg(feature = "train")]
    #[inline(always)]
    fn d_x<L: Lanes>(_: &Self::Arguments, x: f32, d_y: f32) -> f32 {
        let t = tanh::<L>(softplus::<L>(x));
        d_y * (t + x * (sigmoid::<L>(x) * (1.0 - t * t)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::activation::testing::pytorch_test;

    pytorch_test! {
        agrees_with_pytorch: Mish, mish::Mish {},
        outputs: [
            -4.12230724e-8, -0.104095754, -0.145647461, -0.303401461, -0.220743775,
            -0.000599679984, 0.0, 0.16957241, 0.865098388, 2.4713923, 2.986535, 8.99999973,
        ],
        slopes: [
            -3.91619187e-8, -0.0727604134, -0.0933931145, 0.0592167559, 0.289510678, 0.599359952,
            0.6, 0.754172668, 1.04903622, 1.04112953, 1.02110691, 1.00000052,
        ],
    }
}
