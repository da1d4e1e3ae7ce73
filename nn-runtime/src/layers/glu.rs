//! [`GLU`]: PyTorch's `nn.GLU(dim=-1)`.

use super::gates::{Gate, gate};
use crate::kernels::Lanes;
use crate::kernels::elementwise::sigmoid;
use unrolled_shape::rules::glu;

/// `a * sigmoid(b)` of the halves `a` and `b` of the last axis: `[.., 2*C] -> [.., C]`.
#[derive(Clone, Debug, PartialEq)]
pub struct GLU;

gate!(GLU);

impl Gate for GLU {
    type Arguments = glu::GLU;

    #[inline(always)]
    fn value<L: Lanes>(a: f32, b: f32) -> f32 {
        a * sigmoid::<L>(b)
    }

    #[cfg(feature = "train")]
    #[inline(always)]
    fn gradients<L: Lanes>(a: f32, b: f32, d_y: f32) -> [f32; 2] {
        let s = sigmoid::<L>(b);
        [d_y * s, d_y * (a * (s * (1.0 - s)))]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::testing::{Trial, spec};

    spec!(Steps: glu::GLU {}, [&[3, 8]] -> &[3, 4]);
    spec!(Features: glu::GLU {}, [&[38]] -> &[19]);

    #[test]
    fn agrees_with_finite_differences() {
        Trial::<Steps, GLU>::random().with_step(1e-2, 1e-3).check_gradients();
        Trial::<Features, GLU>::random().with_step(1e-2, 1e-3).check_gradients();
    }

    #[test]
    fn agrees_with_the_definition() {
        let mut trial = Trial::<Steps, GLU>::random();
        trial.check_inference();
        let y = trial.infer();
        for (row, y) in y.chunks_exact(4).enumerate() {
            for (i, y) in y.iter().enumerate() {
                let [a, b] = [0, 4].map(|half| f64::from(trial.x[0][row * 8 + half + i]));
                let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
                let expected = a * sigmoid(b);
                assert!((f64::from(*y) - expected).abs() < 1e-6, "{y} {expected}");
            }
        }
    }
}
