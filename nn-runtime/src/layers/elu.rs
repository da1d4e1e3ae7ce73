//! [`ELU`]: PyTorch's `nn.ELU`.

use super::activation::in_place_activation;
use crate::kernels::dispatch::dispatch;
use crate::kernels::elementwise::expm1_of_negative;
use unrolled_shape::rules::elu;

/// `x` above 0, `alpha * (exp(x) - 1)` below, element by element: `[..] -> [..]`.
pub struct ELU;

in_place_activation!(ELU, elu::ELU);

dispatch! {
    fn forward as forward_inlined<L>(arguments: &elu::ELU, y: &mut [f32]) {
        let alpha = arguments.alpha as f32;
        for y in y {
            *y = if *y > 0.0 { *y } else { alpha * expm1_of_negative::<L>(*y) };
        }
    }

    fn backward(arguments: &elu::ELU, y: &[f32], d: &mut [f32]) {
        let alpha = arguments.alpha as f32;
        // alpha * exp(x) = y + alpha.
        for (d, &y) in d.iter_mut().zip(y) {
            *d *= if y > 0.0 { 1.0 } else { y + alpha };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::activation::testing::{check, spec_of_points};
    use crate::layers::testing::Beside;

    spec_of_points!(It: elu::ELU { alpha: 1.5 });

    #[test]
    fn agrees_with_pytorch() {
        check::<It, Beside<ELU>>(
            [
                -1.5,
                -1.45470393,
                -1.4253194,
                -0.948180838,
                -0.59020401,
                -0.00149925025,
                0.0,
                0.25,
                1.0,
                2.5,
                3.0,
                9.0,
            ],
            [
                3.09173043e-9,
                0.0452960751,
                0.0746806026,
                0.551819162,
                0.90979599,
                1.49850075,
                1.5,
                1.0,
                1.0,
                1.0,
                1.0,
                1.0,
            ],
        );
    }
}
