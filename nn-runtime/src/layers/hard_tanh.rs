//! [`HardTanh`]: PyTorch's `nn.Hardtanh`.

use super::activation::{Activation, in_place_activation};
use crate::contract::{BoundsNode, Spec};
use crate::kernels::Lanes;
use unrolled_shape::rules::hard_tanh;

/// `x` between `min` and `max`, and the nearer of them elsewhere, element by element: `[..] -> [..]`.
#[derive(Clone, Debug, PartialEq)]
pub struct HardTanh;

in_place_activation!(HardTanh);

impl<S: Spec<Arguments = hard_tanh::HardTanh>> BoundsNode<S> for HardTanh {
    const BOUNDS: [f32; 2] = [S::ARGUMENTS.min as f32, S::ARGUMENTS.max as f32];
}

impl Activation for HardTanh {
    type Arguments = hard_tanh::HardTanh;

    #[inline(always)]
    fn value<L: Lanes>(arguments: &Self::Arguments, x: f32) -> f32 {
        let (min, max) = (arguments.min as f32, arguments.max as f32);
        // Not `clamp`, which contains a panic for a `max` below `min`.
        if x < min {
            min
        } else if x > max {
            max
        } else {
            x
        }
    }

    #[cfg(feature = "train")]
    #[inline(always)]
    fn d_x<L: Lanes>(arguments: &Self::Arguments, y: f32, d_y: f32) -> f32 {
        let outside = y <= arguments.min as f32 || y >= arguments.max as f32;
        if outside { 0.0 } else { d_y }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::activation::testing::pytorch_test;
    use crate::layers::testing::OutOfPlace;

    pytorch_test! {
        agrees_with_pytorch: OutOfPlace<HardTanh>, hard_tanh::HardTanh { min: -1.0, max: 1.0 },
        outputs: [
            -1.0, -1.0, -1.0, -1.0, -0.5, -0.001, 0.0, 0.25, 1.0, 1.0, 1.0, 1.0,
        ],
        slopes: [
            0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0,
        ],
    }

    pytorch_test! {
        agrees_with_pytorch_with_its_options: OutOfPlace<HardTanh>, hard_tanh::HardTanh { min: -2.0, max: 0.5 },
        outputs: [
            -2.0, -2.0, -2.0, -1.0, -0.5, -0.001, 0.0, 0.25, 0.5, 0.5, 0.5, 0.5,
        ],
        slopes: [
            0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0,
        ],
    }
}
