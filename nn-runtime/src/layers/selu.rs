//! [`SELU`]: PyTorch's `nn.SELU`.

use super::activation::{Activation, activation};
use crate::kernels::Lanes;
#[cfg(feature = "train")]
use crate::kernels::elementwise::exp;
use crate::kernels::elementwise::expm1_of_negative;
use unrolled_shape::rules::selu;

/// With these, mean 0 and variance 1 of the inputs are kept from layer to layer: equation 14 of the paper.
const ALPHA: f32 = 1.673_263_2;
const SCALE: f32 = 1.050_701;

/// `1.0507 * x` above 0, `1.7581 * (exp(x) - 1)` below, element by element (Klambauer et al., 2017): `[..] -> [..]`.
#[derive(Clone, Debug, PartialEq)]
pub struct SELU;

activation!(SELU);

impl Activation for SELU {
    type Arguments = selu::SELU;

    #[inline(always)]
    fn value<L: Lanes>(_: &Self::Arguments, x: f32) -> f32 {
        let y = if x > 0.0 { x } else { ALPHA * expm1_of_negative::<L>(x) };
        SCALE * y
    }

    #[cfg(feature = "train")]
    #[inline(always)]
    fn d_x<L: Lanes>(_: &Self::Arguments, x: f32, d_y: f32) -> f32 {
        d_y * (SCALE * if x > 0.0 { 1.0 } else { ALPHA * exp::<L>(x) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::activation::testing::pytorch_test;

    pytorch_test! {
        agrees_with_pytorch: SELU, selu::SELU {},
        outputs: [
            -1.75809934, -1.70500934, -1.67056873, -1.11133074, -0.691758188, -0.00175722058, 0.0,
            0.262675247, 1.05070099, 2.62675247, 3.15210296, 9.45630889,
        ],
        slopes: [
            3.62371282e-9, 0.0530899999, 0.0875306121, 0.646768603, 1.06634115, 1.75634212,
            1.75809934, 1.05070099, 1.05070099, 1.05070099, 1.05070099, 1.05070099,
        ],
    }
}
