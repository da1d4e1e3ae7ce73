//! [`LeakyReLU`]: PyTorch's `nn.LeakyReLU`.

use super::activation::in_place_activation;
use crate::kernels::dispatch::dispatch;
use unrolled_shape::rules::leaky_relu;

/// `x` above 0, `slope * x` below, element by element: `[..] -> [..]`.
pub struct LeakyReLU;

in_place_activation!(LeakyReLU, leaky_relu::LeakyReLU);

dispatch! {
    fn forward as forward_inlined(arguments: &leaky_relu::LeakyReLU, y: &mut [f32]) {
        let slope = arguments.slope as f32;
        for y in y {
            *y = if *y > 0.0 { *y } else { slope * *y };
        }
    }

    fn backward(arguments: &leaky_relu::LeakyReLU, y: &[f32], d: &mut [f32]) {
        let slope = arguments.slope as f32;
        // The slope is at least 0, so the output is above 0 where the input is.
        for (d, &y) in d.iter_mut().zip(y) {
            *d = if y > 0.0 { *d } else { slope * *d };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::activation::testing::{check, spec_of_points};
    use crate::layers::testing::Beside;

    spec_of_points!(It: leaky_relu::LeakyReLU { slope: 0.125 });

    #[test]
    fn agrees_with_pytorch() {
        check::<It, Beside<LeakyReLU>>(
            [-2.5, -0.4375, -0.375, -0.125, -0.0625, -0.000125, 0.0, 0.25, 1.0, 2.5, 3.0, 9.0],
            [0.125, 0.125, 0.125, 0.125, 0.125, 0.125, 0.125, 1.0, 1.0, 1.0, 1.0, 1.0],
        );
    }
}
