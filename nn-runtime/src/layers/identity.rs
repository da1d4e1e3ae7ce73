//! [`Identity`]: PyTorch's `nn.Identity`.

use super::activation::{Activation, in_place_activation};
use crate::contract::{BoundsNode, Spec};
use crate::kernels::Lanes;
use unrolled_shape::rules::identity;

/// `x` itself: `[..] -> [..]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Identity;

in_place_activation!(Identity);

impl<S: Spec<Arguments = identity::Identity>> BoundsNode<S> for Identity {
    const BOUNDS: [f32; 2] = [f32::NEG_INFINITY, f32::INFINITY];
}

impl Activation for Identity {
    type Arguments = identity::Identity;

    #[inline(always)]
    fn value<L: Lanes>(_: &Self::Arguments, x: f32) -> f32 {
        x
    }

    #[cfg(feature = "train")]
    #[inline(always)]
    fn d_x<L: Lanes>(_: &Self::Arguments, _: f32, d_y: f32) -> f32 {
        d_y
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::activation::testing::pytorch_test;
    use crate::layers::testing::OutOfPlace;

    pytorch_test! {
        agrees_with_pytorch: OutOfPlace<Identity>, identity::Identity {},
        outputs: [
            -20.0, -3.5, -3.0, -1.0, -0.5, -0.001, 0.0, 0.25, 1.0, 2.5, 3.0, 9.0,
        ],
        slopes: [
            1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0,
        ],
    }
}
