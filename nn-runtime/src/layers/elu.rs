//! [`ELU`]: PyTorch's `nn.ELU`.

use super::activation::{Activation, activation};
use crate::kernels::Lanes;
#[cfg(feature = "train")]
use crate::kernels::elementwise::exp;
use crate::kernels::elementwise::expm1_of_negative;
use unrolled_shape::rules::elu;

/// `x` above 0, `alpha * (exp(x) - 1)` below, element by element: `[..] -> [..]`.
#[derive(Clone, Debug, PartialEq)]
pub struct ELU;

activation!(ELU);

impl Activation for ELU {
    type Arguments = elu::ELU;

    #[inline(always)]
    fn value<L: Lanes>(arguments: &Self::Arguments, x: f32) -> f32 {
        if x > 0.0 { x } else { arguments.alpha as f32 * expm1_of_negative::<L>(x) }
    }

    #[cfg(feature = "train")]
    #[inline(always)]
    fn d_x<L: Lanes>(arguments: &Self::Arguments, x: f32, d_y: f32) -> f32 {
        // Not `y + alpha`, which is the same but 0 from -17 down, where `y` is rounded to `-alpha`.
        d_y * if x > 0.0 { 1.0 } else { arguments.alpha as f32 * exp::<L>(x) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::activation::testing::pytorch_test;

    pytorch_test! {
        agrees_with_pytorch: ELU, elu::ELU { alpha: 1.5 },
        outputs: [
            -1.5, -1.45470393, -1.4253194, -0.948180838, -0.59020401, -0.00149925025, 0.0,
            0.25, 1.0, 2.5, 3.0, 9.0,
        ],
        slopes: [
            3.09173043e-9, 0.0452960751, 0.0746806026, 0.551819162, 0.90979599, 1.49850075,
            1.5, 1.0, 1.0, 1.0, 1.0, 1.0,
        ],
    }

    #[cfg(feature = "train")]
    #[test]
    fn the_slope_of_large_negative_values_is_not_zero() {
        use crate::kernels::Baseline;
        let slope = |x: f32| ELU::d_x::<Baseline>(&elu::ELU { alpha: 1.0 }, x, 1.0);
        for x in [-17.5_f32, -30.0, -80.0] {
            let expected = f64::from(x).exp();
            assert!((f64::from(slope(x)) / expected - 1.0).abs() < 1e-5, "{x}");
        }
        assert_eq!(slope(f32::NEG_INFINITY), 0.0);
        assert!(slope(f32::NAN).is_nan());
    }
}
