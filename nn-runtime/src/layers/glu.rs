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
    use crate::layers::gates::testing::{check, sigmoid};
    use crate::layers::testing::spec;

    spec!(Steps: glu::GLU {}, [&[3, 8]] -> &[3, 4]);
    spec!(Features: glu::GLU {}, [&[38]] -> &[19]);

    #[test]
    fn agrees_with_the_definition_and_finite_differences() {
        check::<Steps, GLU>(|a, b| a * sigmoid(b));
        check::<Features, GLU>(|a, b| a * sigmoid(b));
    }
}
