//! [`Softplus`]: PyTorch's `nn.Softplus`.

use super::activation::{Activation, activation};
use crate::kernels::{Lanes, elementwise};
use unrolled_shape::rules::softplus;

/// `ln(1 + exp(beta * x)) / beta`, element by element: `[..] -> [..]`; `x` itself where `beta * x > threshold`.
#[derive(Clone, Debug, PartialEq)]
pub struct Softplus;

activation!(Softplus);

impl Activation for Softplus {
    type Arguments = softplus::Softplus;

    #[inline(always)]
    fn value<L: Lanes>(arguments: &Self::Arguments, x: f32) -> f32 {
        let (beta, threshold) = (arguments.beta as f32, arguments.threshold as f32);
        let z = beta * x;
        if z > threshold { x } else { elementwise::softplus::<L>(z) / beta }
    }

    #[cfg(feature = "train")]
    #[inline(always)]
    fn d_x<L: Lanes>(arguments: &Self::Arguments, x: f32, d_y: f32) -> f32 {
        let z = arguments.beta as f32 * x;
        if z > arguments.threshold as f32 { d_y } else { d_y * elementwise::sigmoid::<L>(z) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::activation::testing::pytorch_test;

    pytorch_test! {
        agrees_with_pytorch: Softplus, softplus::Softplus { beta: 1.0, threshold: 20.0 },
        outputs: [
            2.06115362e-9, 0.0297504183, 0.0485873516, 0.313261687, 0.474076984, 0.692647306,
            std::f64::consts::LN_2, 0.82593942, 1.31326169, 2.57888973, 3.04858735, 9.0001234,
        ],
        slopes: [
            2.06115362e-9, 0.0293122308, 0.0474258732, 0.268941421, 0.377540669, 0.49975, 0.5,
            0.562176501, 0.731058579, 0.92414182, 0.952574127, 0.999876605,
        ],
    }

    pytorch_test! {
        agrees_with_pytorch_with_its_options: Softplus, softplus::Softplus { beta: 2.0, threshold: 4.0 },
        outputs: [
            2.12417713e-18, 0.000455733227, 0.00123784257, 0.0634640055, 0.156630844,
            0.34607384, 0.34657359, 0.487038492, 1.06346401, 2.5, 3.0, 9.0,
        ],
        slopes: [
            4.24835425e-18, 0.000911051194, 0.00247262316, 0.119202922, 0.268941421, 0.4995,
            0.5, 0.622459331, 0.880797078, 1.0, 1.0, 1.0,
        ],
    }
}
