//! [`Sigmoid`]: PyTorch's `nn.Sigmoid`.

use super::activation::{Activation, in_place_activation};
use crate::kernels::{Lanes, elementwise};
use unrolled_shape::rules::sigmoid;

/// `1 / (1 + exp(-x))`, element by element: `[..] -> [..]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Sigmoid;

in_place_activation!(Sigmoid);

impl Activation for Sigmoid {
    type Arguments = sigmoid::Sigmoid;

    #[inline(always)]
    fn value<L: Lanes>(_: &Self::Arguments, x: f32) -> f32 {
        elementwise::sigmoid::<L>(x)
    }

    #[cfg(feature = "train")]
    #[inline(always)]
    fn d_x<L: Lanes>(_: &Self::Arguments, y: f32, d_y: f32) -> f32 {
        d_y * (y * (1.0 - y))
    }

    #[inline(always)]
    fn apply_in_place<L: Lanes>(_: &Self::Arguments, y: &mut [f32]) {
        elementwise::map_in_place(y, elementwise::sigmoid::<L>);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::activation::testing::pytorch_test;
    use crate::layers::testing::OutOfPlace;

    pytorch_test! {
        agrees_with_pytorch: OutOfPlace<Sigmoid>, sigmoid::Sigmoid {},
        outputs: [
            2.06115362e-9, 0.0293122308, 0.0474258732, 0.268941421, 0.377540669, 0.49975, 0.5,
            0.562176501, 0.731058579, 0.92414182, 0.952574127, 0.999876605,
        ],
        slopes: [
            2.06115361e-9, 0.0284530239, 0.0451766597, 0.196611933, 0.235003712, 0.249999937,
            0.25, 0.246134083, 0.196611933, 0.0701037166, 0.0451766597, 0.00012337935,
        ],
    }
}
