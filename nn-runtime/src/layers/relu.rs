//! [`ReLU`]: PyTorch's `nn.ReLU`.

use super::activation::{Activation, in_place_activation};
use crate::contract::{BoundsNode, Spec};
use crate::kernels::Lanes;
use unrolled_shape::rules::relu;

/// `max(x, 0)`, element by element: `[..] -> [..]`. NaN stays.
#[derive(Clone, Debug, PartialEq)]
pub struct ReLU;

in_place_activation!(ReLU);

impl<S: Spec<Arguments = relu::ReLU>> BoundsNode<S> for ReLU {
    const BOUNDS: [f32; 2] = [0.0, f32::INFINITY];
}

impl Activation for ReLU {
    type Arguments = relu::ReLU;

    #[inline(always)]
    fn value<L: Lanes>(_: &Self::Arguments, x: f32) -> f32 {
        // Not `x.max(0.0)`, which is 0 for NaN.
        if x < 0.0 { 0.0 } else { x }
    }

    #[cfg(feature = "train")]
    #[inline(always)]
    fn d_x<L: Lanes>(_: &Self::Arguments, y: f32, d_y: f32) -> f32 {
        if y <= 0.0 { 0.0 } else { d_y }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::activation::testing::pytorch_test;
    use crate::layers::testing::OutOfPlace;

    pytorch_test! {
        agrees_with_pytorch: OutOfPlace<ReLU>, relu::ReLU {},
        outputs: [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.25, 1.0, 2.5, 3.0, 9.0],
        slopes: [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0, 1.0],
    }
}
