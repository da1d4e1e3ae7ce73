//! [`CELU`]: PyTorch's `nn.CELU`.

use super::activation::{Activation, activation};
use crate::kernels::Lanes;
#[cfg(feature = "train")]
use crate::kernels::elementwise::exp;
use crate::kernels::elementwise::expm1_of_negative;
use unrolled_shape::rules::celu;

/// `x` above 0, `alpha * (exp(x / alpha) - 1)` below, element by element (Barron, 2017): `[..] -> [..]`.
#[derive(Clone, Debug, PartialEq)]
pub struct CELU;

activation!(CELU);

impl Activation for CELU {
    type Arguments = celu::CELU;

    #[inline(always)]
    fn value<L: Lanes>(arguments: &Self::Arguments, x: f32) -> f32 {
        let alpha = arguments.alpha as f32;
        if x > 0.0 { x } else { alpha * expm1_of_negative::<L>(x / alpha) }
    }

    #[cfg(feature = "train")]
    #[inline(always)]
    fn d_x<L: Lanes>(arguments: &Self::Arguments, x: f32, d_y: f32) -> f32 {
        d_y * if x > 0.0 { 1.0 } else { exp::<L>(x / arguments.alpha as f32) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::activation::testing::pytorch_test;

    pytorch_test! {
        agrees_with_pytorch: CELU, celu::CELU { alpha: 1.5 },
        outputs: [
            -1.49999757, -1.35454205, -1.29699708, -0.729874321, -0.425203034, -0.000999666741,
            0.0, 0.25, 1.0, 2.5, 3.0, 9.0,
        ],
        slopes: [
            1.61959679e-6, 0.0969719679, 0.135335283, 0.513417119, 0.716531311, 0.999333556, 1.0,
            1.0, 1.0, 1.0, 1.0, 1.0,
        ],
    }
}
