//! [`Tanh`]: PyTorch's `nn.Tanh`.

use super::activation::{Activation, in_place_activation};
use crate::kernels::{Lanes, elementwise};
use unrolled_shape::rules::tanh;

/// `tanh(x)`, element by element: `[..] -> [..]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Tanh;

in_place_activation!(Tanh);

impl Activation for Tanh {
    type Arguments = tanh::Tanh;

    #[inline(always)]
    fn value<L: Lanes>(_: &Self::Arguments, x: f32) -> f32 {
        elementwise::tanh::<L>(x)
    }

    #[cfg(feature = "train")]
    #[inline(always)]
    fn d_x<L: Lanes>(_: &Self::Arguments, y: f32, d_y: f32) -> f32 {
        d_y * (1.0 - y * y)
    }

    #[inline(always)]
    fn apply_in_place<L: Lanes>(_: &Self::Arguments, y: &mut [f32]) {
        elementwise::map_in_place(y, elementwise::tanh::<L>);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::activation::testing::pytorch_test;
    use crate::layers::testing::OutOfPlace;

    pytorch_test! {
        agrees_with_pytorch: OutOfPlace<Tanh>, tanh::Tanh {},
        outputs: [
            -1.0, -0.998177898, -0.995054754, -0.761594156, -0.462117157, -0.000999999667, 0.0,
            0.244918662, 0.761594156, 0.986614298, 0.995054754, 0.99999997,
        ],
        slopes: [
            0.0, 0.00364088472, 0.00986603716, 0.419974342, 0.786447733, 0.999999, 1.0,
            0.940014849, 0.419974342, 0.0265922267, 0.00986603716, 6.09199171e-8,
        ],
    }
}
