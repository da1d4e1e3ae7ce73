//! [`Log`]: PyTorch's `torch.log`.

use super::activation::{Activation, activation};
use crate::kernels::Lanes;
#[cfg(not(feature = "std"))]
use crate::system::FloatMath;
use unrolled_shape::rules::log;

/// `ln(x)`, element by element: `[..] -> [..]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Log;

activation!(Log);

impl Activation for Log {
    type Arguments = log::Log;

    #[inline(always)]
    fn value<L: Lanes>(_: &Self::Arguments, x: f32) -> f32 {
        x.ln()
    }

    #[cfg(feature = "train")]
    #[inline(always)]
    fn d_x<L: Lanes>(_: &Self::Arguments, x: f32, d_y: f32) -> f32 {
        d_y / x
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::activation::testing::pytorch_test;

    pytorch_test! {
        agrees_with_pytorch: Log, log::Log {},
        at positive, outputs: [
            -4.85203026, -3.4657359, -1.38629436, -std::f64::consts::LN_2, -0.287682072, 0.0, 0.405465108,
            std::f64::consts::LN_2, 0.916290732, 1.09861229, 2.19722458, 4.60517019,
        ],
        slopes: [
            128.0, 32.0, 4.0, 2.0, 1.33333333, 1.0, 0.666666667, 0.5, 0.4, 0.333333333, 0.111111111,
            0.01,
        ],
    }
}
