//! [`SwiGLU`]: `silu(a) * b` with `a, b = x.chunk(2, dim=-1)` in PyTorch.

use super::gates::{Gate, gate};
use crate::kernels::Lanes;
use crate::kernels::elementwise::sigmoid;
use unrolled_shape::rules::swi_glu;

/// `silu(a) * b` of the halves `a` and `b` of the last axis: `[.., 2*C] -> [.., C]`.
#[derive(Clone, Debug, PartialEq)]
pub struct SwiGLU;

gate!(SwiGLU);

impl Gate for SwiGLU {
    type Arguments = swi_glu::SwiGLU;

    #[inline(always)]
    fn value<L: Lanes>(a: f32, b: f32) -> f32 {
        a * sigmoid::<L>(a) * b
    }

    #[cfg(feature = "train")]
    #[inline(always)]
    fn gradients<L: Lanes>(a: f32, b: f32, d_y: f32) -> [f32; 2] {
        let s = sigmoid::<L>(a);
        [d_y * (b * (s * (1.0 + a * (1.0 - s)))), d_y * (a * s)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::testing::{Trial, spec};

    spec!(Steps: swi_glu::SwiGLU {}, [&[3, 8]] -> &[3, 4]);
    spec!(Features: swi_glu::SwiGLU {}, [&[38]] -> &[19]);

    #[test]
    fn agrees_with_finite_differences() {
        Trial::<Steps, SwiGLU>::random().with_step(1e-2, 1e-3).check_gradients();
        Trial::<Features, SwiGLU>::random().with_step(1e-2, 1e-3).check_gradients();
    }

    #[test]
    fn agrees_with_the_definition() {
        let mut trial = Trial::<Steps, SwiGLU>::random();
        trial.check_inference();
        let y = trial.infer();
        for (row, y) in y.chunks_exact(4).enumerate() {
            for (i, y) in y.iter().enumerate() {
                let [a, b] = [0, 4].map(|half| f64::from(trial.x[0][row * 8 + half + i]));
                let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
                let expected = a * sigmoid(a) * b;
                assert!((f64::from(*y) - expected).abs() < 1e-6, "{y} {expected}");
            }
        }
    }
}
