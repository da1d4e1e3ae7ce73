//! [`Exp`]: PyTorch's `torch.exp`.

use super::activation::{Activation, in_place_activation};
use crate::kernels::{Lanes, elementwise};
use unrolled_shape::rules::exp;

/// `exp(x)`, element by element: `[..] -> [..]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Exp;

in_place_activation!(Exp);

impl Activation for Exp {
    type Arguments = exp::Exp;

    #[inline(always)]
    fn value<L: Lanes>(_: &Self::Arguments, x: f32) -> f32 {
        elementwise::exp::<L>(x)
    }

    #[cfg(feature = "train")]
    #[inline(always)]
    fn d_x<L: Lanes>(_: &Self::Arguments, y: f32, d_y: f32) -> f32 {
        d_y * y
    }

    #[inline(always)]
    fn apply_in_place<L: Lanes>(_: &Self::Arguments, y: &mut [f32]) {
        elementwise::map_in_place(y, elementwise::exp::<L>);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::activation::testing::pytorch_test;
    use crate::layers::testing::OutOfPlace;

    pytorch_test! {
        agrees_with_pytorch: OutOfPlace<Exp>, exp::Exp {},
        outputs: [
            2.06115362e-09, 0.0301973834, 0.0497870684, 0.367879441, 0.60653066, 0.9990005, 1.0,
            1.28402542, std::f64::consts::E, 12.182494, 20.0855369, 8103.08393,
        ],
        slopes: [
            2.06115362e-09, 0.0301973834, 0.0497870684, 0.367879441, 0.60653066, 0.9990005, 1.0,
            1.28402542, std::f64::consts::E, 12.182494, 20.0855369, 8103.08393,
        ],
    }
}
