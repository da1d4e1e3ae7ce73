//! [`ReLU6`]: PyTorch's `nn.ReLU6`.

use super::activation::{Activation, in_place_activation};
use crate::contract::{BoundsNode, Spec};
use crate::kernels::Lanes;
use unrolled_shape::rules::relu6;

/// `min(max(x, 0), 6)`, element by element: `[..] -> [..]`.
#[derive(Clone, Debug, PartialEq)]
pub struct ReLU6;

in_place_activation!(ReLU6);

impl<S: Spec<Arguments = relu6::ReLU6>> BoundsNode<S> for ReLU6 {
    const BOUNDS: [f32; 2] = [0.0, 6.0];
}

impl Activation for ReLU6 {
    type Arguments = relu6::ReLU6;

    #[inline(always)]
    fn value<L: Lanes>(_: &Self::Arguments, x: f32) -> f32 {
        // NaN stays.
        x.clamp(0.0, 6.0)
    }

    #[cfg(feature = "train")]
    #[inline(always)]
    fn d_x<L: Lanes>(_: &Self::Arguments, y: f32, d_y: f32) -> f32 {
        if y <= 0.0 || y >= 6.0 { 0.0 } else { d_y }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::activation::testing::pytorch_test;
    use crate::layers::testing::OutOfPlace;

    pytorch_test! {
        agrees_with_pytorch: OutOfPlace<ReLU6>, relu6::ReLU6 {},
        outputs: [
            0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.25, 1.0, 2.5, 3.0, 6.0,
        ],
        slopes: [
            0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0, 0.0,
        ],
    }
}
