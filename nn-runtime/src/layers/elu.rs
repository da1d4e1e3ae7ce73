//! [`ELU`]: PyTorch's `nn.ELU`.

use super::activation::{Activation, in_place_activation};
use crate::kernels::Lanes;
use crate::kernels::elementwise::expm1_of_negative;
use unrolled_shape::rules::elu;

/// `x` above 0, `alpha * (exp(x) - 1)` below, element by element: `[..] -> [..]`.
#[derive(Clone, Debug, PartialEq)]
pub struct ELU;

in_place_activation!(ELU);

impl Activation for ELU {
    type Arguments = elu::ELU;

    #[inline(always)]
    fn value<L: Lanes>(arguments: &Self::Arguments, x: f32) -> f32 {
        if x > 0.0 { x } else { arguments.alpha as f32 * expm1_of_negative::<L>(x) }
    }

    #[cfg(feature = "train")]
    #[inline(always)]
    fn d_x<L: Lanes>(arguments: &Self::Arguments, y: f32, d_y: f32) -> f32 {
        // alpha * exp(x) = y + alpha
        d_y * if y > 0.0 { 1.0 } else { y + arguments.alpha as f32 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::activation::testing::pytorch_test;
    use crate::layers::testing::OutOfPlace;

    pytorch_test! {
        agrees_with_pytorch: OutOfPlace<ELU>, elu::ELU { alpha: 1.5 },
        outputs: [
            -1.5, -1.45470393, -1.4253194, -0.948180838, -0.59020401, -0.00149925025, 0.0,
            0.25, 1.0, 2.5, 3.0, 9.0,
        ],
        slopes: [
            3.09173043e-9, 0.0452960751, 0.0746806026, 0.551819162, 0.90979599, 1.49850075,
            1.5, 1.0, 1.0, 1.0, 1.0, 1.0,
        ],
    }
}
