//! [`Clip`]: PyTorch's `torch.clamp(x, min, max)`.

use super::activation::{Activation, in_place_activation};
use crate::kernels::Lanes;
use unrolled_shape::rules::clip;

/// `x` between `min` and `max`, and the nearer of them elsewhere, element by element: `[..] -> [..]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Clip;

in_place_activation!(Clip);

impl Activation for Clip {
    type Arguments = clip::Clip;

    #[inline(always)]
    fn value<L: Lanes>(arguments: &Self::Arguments, x: f32) -> f32 {
        let (min, max) = limits(arguments);
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
        let (min, max) = limits(arguments);
        // 0 at the limits, too, as that of PyTorch 2.15.
        if y <= min || y >= max { 0.0 } else { d_y }
    }
}

#[inline(always)]
fn limits(arguments: &clip::Clip) -> (f32, f32) {
    let limit = |limit: Option<f64>, none| limit.map_or(none, |limit| limit as f32);
    (limit(arguments.min, f32::NEG_INFINITY), limit(arguments.max, f32::INFINITY))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::activation::testing::pytorch_test;
    use crate::layers::testing::OutOfPlace;

    pytorch_test! {
        agrees_with_pytorch: OutOfPlace<Clip>, clip::Clip { min: Some(-1.0), max: Some(2.5) },
        outputs: [-1.0, -1.0, -1.0, -1.0, -0.5, -0.001, 0.0, 0.25, 1.0, 2.5, 2.5, 2.5],
        slopes: [0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0],
    }

    pytorch_test! {
        agrees_with_pytorch_with_one_limit: OutOfPlace<Clip>, clip::Clip { min: Some(-1.0), max: None },
        outputs: [-1.0, -1.0, -1.0, -1.0, -0.5, -0.001, 0.0, 0.25, 1.0, 2.5, 3.0, 9.0],
        slopes: [0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0],
    }
}
