//! [`Tanh`]: PyTorch's `nn.Tanh`.

use super::activation::in_place_activation;
use crate::kernels::dispatch::dispatch;
use crate::kernels::elementwise;
use unrolled_shape::rules::tanh;

/// `tanh(x)`, element by element: `[..] -> [..]`.
pub struct Tanh;

in_place_activation!(Tanh, tanh::Tanh);

dispatch! {
    fn forward as forward_inlined<L>(_arguments: &tanh::Tanh, y: &mut [f32]) {
        elementwise::map_in_place(y, elementwise::tanh::<L>);
    }

    fn backward(_arguments: &tanh::Tanh, y: &[f32], d: &mut [f32]) {
        for (d, &y) in d.iter_mut().zip(y) {
            *d *= 1.0 - y * y;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::activation::testing::{check, spec_of_points};
    use crate::layers::testing::Beside;

    spec_of_points!(It: tanh::Tanh {});

    #[test]
    fn agrees_with_pytorch() {
        check::<It, Beside<Tanh>>(
            [
                -1.0,
                -0.998177898,
                -0.995054754,
                -0.761594156,
                -0.462117157,
                -0.000999999667,
                0.0,
                0.244918662,
                0.761594156,
                0.986614298,
                0.995054754,
                0.99999997,
            ],
            [
                0.0,
                0.00364088472,
                0.00986603716,
                0.419974342,
                0.786447733,
                0.999999,
                1.0,
                0.940014849,
                0.419974342,
                0.0265922267,
                0.00986603716,
                6.09199171e-8,
            ],
        );
    }
}
