//! [`LogSigmoid`]: PyTorch's `nn.LogSigmoid`.

use super::activation::{Activation, activation};
use crate::kernels::Lanes;
use crate::kernels::elementwise;
use unrolled_shape::rules::log_sigmoid;

/// `ln(sigmoid(x))`, element by element: `[..] -> [..]`.
#[derive(Clone, Debug, PartialEq)]
pub struct LogSigmoid;

activation!(LogSigmoid);

impl Activation for LogSigmoid {
    type Arguments = log_sigmoid::LogSigmoid;

    #[inline(always)]
    fn value<L: Lanes>(_: &Self::Arguments, x: f32) -> f32 {
        -elementwise::softplus::<L>(-x)
    }

    #[cfg(feature = "train")]
    #[inline(always)]
    fn d_x<L: Lanes>(_: &Self::Arguments, x: f32, d_y: f32) -> f32 {
        d_y * elementwise::sigmoid::<L>(-x)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::activation::testing::pytorch_test;

    pytorch_test! {
        agrees_with_pytorch: LogSigmoid, log_sigmoid::LogSigmoid {},
        outputs: [
            -20.0, -3.52975042, -3.04858735, -1.31326169, -0.974076984, -0.693647306, -std::f64::consts::LN_2,
            -0.57593942, -0.313261688, -0.0788897343, -0.0485873516, -0.00012340219,
        ],
        slopes: [
            0.999999998, 0.970687769, 0.952574127, 0.731058579, 0.622459331, 0.50025, 0.5,
            0.437823499, 0.268941421, 0.07585818, 0.0474258732, 0.000123394576,
        ],
    }
}
