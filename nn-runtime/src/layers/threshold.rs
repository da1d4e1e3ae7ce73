//! [`Threshold`]: PyTorch's `nn.Threshold`.

use super::activation::{Activation, activation};
use crate::kernels::Lanes;
use unrolled_shape::rules::threshold;

/// `x` above `threshold`, `value` elsewhere, element by element: `[..] -> [..]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Threshold;

activation!(Threshold);

impl Activation for Threshold {
    type Arguments = threshold::Threshold;

    #[inline(always)]
    fn value<L: Lanes>(arguments: &Self::Arguments, x: f32) -> f32 {
        // Not `x > threshold`, which replaces NaN.
        if x <= arguments.threshold as f32 { arguments.value as f32 } else { x }
    }

    #[cfg(feature = "train")]
    #[inline(always)]
    fn d_x<L: Lanes>(arguments: &Self::Arguments, x: f32, d_y: f32) -> f32 {
        if x <= arguments.threshold as f32 { 0.0 } else { d_y }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::activation::testing::pytorch_test;

    pytorch_test! {
        agrees_with_pytorch: Threshold, threshold::Threshold { threshold: 0.5, value: -1.5 },
        outputs: [
            -1.5, -1.5, -1.5, -1.5, -1.5, -1.5, -1.5, -1.5, 1.0, 2.5, 3.0, 9.0,
        ],
        slopes: [
            0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0,
        ],
    }
}
