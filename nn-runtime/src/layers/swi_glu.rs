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
    use crate::layers::gates::testing::{check, sigmoid};
    use crate::layers::testing::spec;

    spec!(Steps: swi_glu::SwiGLU {}, [&[3, 8]] -> &[3, 4]);
    spec!(Features: swi_glu::SwiGLU {}, [&[38]] -> &[19]);

    #[test]
    fn agrees_with_the_definition_and_finite_differences() {
        check::<Steps, SwiGLU>(|a, b| a * sigmoid(a) * b);
        check::<Features, SwiGLU>(|a, b| a * sigmoid(a) * b);
    }
}
