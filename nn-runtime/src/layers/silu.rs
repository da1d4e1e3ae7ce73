//! [`SiLU`]: PyTorch's `nn.SiLU`.

use super::activation::separate_activation;
use crate::kernels::dispatch::dispatch;
use crate::kernels::elementwise::sigmoid;
use unrolled_shape::rules::silu;

/// `x * sigmoid(x)`, element by element: `[..] -> [..]`.
pub struct SiLU;

separate_activation!(SiLU, silu::SiLU, S => const { &S::ARGUMENTS }, x);

dispatch! {
    fn forward as forward_inlined<L>(_arguments: &silu::SiLU, x: &[f32], y: &mut [f32]) {
        for (y, &x) in y.iter_mut().zip(x) {
            *y = x * sigmoid::<L>(x);
        }
    }

    fn backward<L>(_arguments: &silu::SiLU, x: &[f32], d_y: &[f32], d_x: &mut [f32]) {
        for ((d_x, &x), &d_y) in d_x.iter_mut().zip(x).zip(d_y) {
            let s = sigmoid::<L>(x);
            *d_x = d_y * (s * (1.0 + x * (1.0 - s)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::activation::testing::{check, spec_of_points};

    spec_of_points!(It: silu::SiLU {});

    #[test]
    fn agrees_with_pytorch() {
        check::<It, SiLU>(
            [
                -4.12230724e-8,
                -0.102592808,
                -0.14227762,
                -0.268941421,
                -0.188770334,
                -0.00049975,
                0.0,
                0.140544125,
                0.731058579,
                2.31035455,
                2.85772238,
                8.99888945,
            ],
            [
                -3.91619187e-8,
                -0.0702733528,
                -0.088104106,
                0.0723294881,
                0.260038813,
                0.4995,
                0.5,
                0.623710022,
                0.927670512,
                1.09940111,
                1.08810411,
                1.00098702,
            ],
        );
    }
}
