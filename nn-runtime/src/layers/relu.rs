//! [`ReLU`]: PyTorch's `nn.ReLU`.

use super::activation::in_place_activation;
use crate::kernels::dispatch::dispatch;
use unrolled_shape::rules::relu;

/// `max(x, 0)`, element by element: `[..] -> [..]`; NaN stays.
pub struct ReLU;

in_place_activation!(ReLU, relu::ReLU);

dispatch! {
    fn forward as forward_inlined(_arguments: &relu::ReLU, y: &mut [f32]) {
        for y in y {
            *y = if *y < 0.0 { 0.0 } else { *y };
        }
    }

    fn backward(_arguments: &relu::ReLU, y: &[f32], d: &mut [f32]) {
        for (d, &y) in d.iter_mut().zip(y) {
            *d = if y <= 0.0 { 0.0 } else { *d };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::activation::testing::{check, spec_of_points};
    use crate::layers::testing::Beside;

    spec_of_points!(It: relu::ReLU {});

    #[test]
    fn agrees_with_pytorch() {
        check::<It, Beside<ReLU>>(
            [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.25, 1.0, 2.5, 3.0, 9.0],
            [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0, 1.0],
        );
    }
}
