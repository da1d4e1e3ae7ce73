//! [`HardSwish`]: PyTorch's `nn.Hardswish`.

use super::activation::separate_activation;
use crate::kernels::dispatch::dispatch;
use unrolled_shape::rules::hard_swish;

/// `x * min(max(x + 3, 0), 6) / 6`, element by element: `[..] -> [..]`.
pub struct HardSwish;

separate_activation!(HardSwish, hard_swish::HardSwish, S => const { &S::ARGUMENTS }, x);

dispatch! {
    fn forward as forward_inlined(_arguments: &hard_swish::HardSwish, x: &[f32], y: &mut [f32]) {
        for (y, &x) in y.iter_mut().zip(x) {
            *y = x * (x + 3.0).clamp(0.0, 6.0) / 6.0;
        }
    }

    fn backward(_arguments: &hard_swish::HardSwish, x: &[f32], d_y: &[f32], d_x: &mut [f32]) {
        for ((d_x, &x), &d_y) in d_x.iter_mut().zip(x).zip(d_y) {
            let slope = if x >= 3.0 { 1.0 } else { x / 3.0 + 0.5 };
            *d_x = if x <= -3.0 { 0.0 } else { d_y * slope };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::activation::testing::{check, spec_of_points};

    spec_of_points!(It: hard_swish::HardSwish {});

    #[test]
    fn agrees_with_pytorch() {
        check::<It, HardSwish>(
            [
                0.0,
                0.0,
                0.0,
                -0.333333333,
                -0.208333333,
                -0.000499833333,
                0.0,
                0.135416667,
                0.666666667,
                2.29166667,
                3.0,
                9.0,
            ],
            [
                0.0,
                0.0,
                0.0,
                0.166666667,
                0.333333333,
                0.499666667,
                0.5,
                0.583333333,
                0.833333333,
                1.33333333,
                1.0,
                1.0,
            ],
        );
    }
}
