//! [`Sigmoid`]: PyTorch's `nn.Sigmoid`.

use super::activation::in_place_activation;
use crate::kernels::dispatch::dispatch;
use crate::kernels::elementwise;
use unrolled_shape::rules::sigmoid;

/// `1 / (1 + exp(-x))`, element by element: `[..] -> [..]`.
pub struct Sigmoid;

in_place_activation!(Sigmoid, sigmoid::Sigmoid);

dispatch! {
    fn forward as forward_inlined<L>(_arguments: &sigmoid::Sigmoid, y: &mut [f32]) {
        elementwise::map_in_place(y, elementwise::sigmoid::<L>);
    }

    fn backward(_arguments: &sigmoid::Sigmoid, y: &[f32], d: &mut [f32]) {
        for (d, &y) in d.iter_mut().zip(y) {
            *d *= y * (1.0 - y);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::activation::testing::{check, spec_of_points};
    use crate::layers::testing::Beside;

    spec_of_points!(It: sigmoid::Sigmoid {});

    #[test]
    fn agrees_with_pytorch() {
        check::<It, Beside<Sigmoid>>(
            [
                2.06115362e-9,
                0.0293122308,
                0.0474258732,
                0.268941421,
                0.377540669,
                0.49975,
                0.5,
                0.562176501,
                0.731058579,
                0.92414182,
                0.952574127,
                0.999876605,
            ],
            [
                2.06115361e-9,
                0.0284530239,
                0.0451766597,
                0.196611933,
                0.235003712,
                0.249999937,
                0.25,
                0.246134083,
                0.196611933,
                0.0701037166,
                0.0451766597,
                0.00012337935,
            ],
        );
    }
}
