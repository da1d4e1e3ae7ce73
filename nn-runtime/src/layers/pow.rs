//! [`Pow`]: PyTorch's `torch.pow(x, exponent)`.

use super::activation::{Activation, activation};
use crate::kernels::Lanes;
#[cfg(not(feature = "std"))]
use crate::system::FloatMath;
use unrolled_shape::rules::pow;

/// `x` to the power of `exponent`, element by element: `[..] -> [..]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Pow;

activation!(Pow);

impl Activation for Pow {
    type Arguments = pow::Pow;

    #[inline(always)]
    fn value<L: Lanes>(arguments: &Self::Arguments, x: f32) -> f32 {
        power(x, arguments.exponent)
    }

    #[cfg(feature = "train")]
    #[inline(always)]
    fn d_x<L: Lanes>(arguments: &Self::Arguments, x: f32, d_y: f32) -> f32 {
        let exponent = arguments.exponent;
        // A constant: 0 also at 0, where `x^-1` is infinite.
        if exponent == 0.0 { 0.0 } else { d_y * (exponent as f32 * power(x, exponent - 1.0)) }
    }
}

/// `x` to the power of `exponent`, which is the same for all elements: squares and square roots need no logarithm.
#[inline(always)]
fn power(x: f32, exponent: f64) -> f32 {
    if exponent == 2.0 {
        x * x
    } else if exponent == 1.0 {
        x
    } else if exponent == 0.5 {
        x.sqrt()
    } else {
        x.powf(exponent as f32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::activation::testing::pytorch_test;

    pytorch_test! {
        agrees_with_pytorch: Pow, pow::Pow { exponent: 3.0 },
        outputs: [
            -8000.0, -42.875, -27.0, -1.0, -0.125, -1e-09, 0.0, 0.015625, 1.0, 15.625, 27.0, 729.0,
        ],
        slopes: [1200.0, 36.75, 27.0, 3.0, 0.75, 3e-06, 0.0, 0.1875, 3.0, 18.75, 27.0, 243.0],
    }

    pytorch_test! {
        agrees_with_pytorch_with_a_negative_exponent: Pow, pow::Pow { exponent: -0.75 },
        at positive, outputs: [
            38.0546277, 13.4543426, 2.82842713, 1.68179283, 1.24080648, 1.0, 0.737787947,
            0.594603558, 0.502973372, 0.438691338, 0.19245009, 0.0316227766,
        ],
        slopes: [
            -3653.24426, -322.904224, -8.48528137, -2.52268925, -1.24080648, -0.75, -0.368893973,
            -0.222976334, -0.150892012, -0.109672834, -0.0160375075, -0.000237170824,
        ],
    }

    #[test]
    fn small_exponents_are_products() {
        for x in [-3.5_f32, -0.25, 0.0, 1e-20, 7.0] {
            assert_eq!(power(x, 0.0), 1.0);
            assert_eq!(power(x, 1.0), x);
            assert_eq!(power(x, 2.0), x * x);
            assert_eq!(power(x, 0.5).to_bits(), x.sqrt().to_bits());
        }
    }
}
