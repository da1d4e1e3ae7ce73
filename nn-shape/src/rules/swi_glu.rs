//! `SwiGLU`: `silu(a) * b` with `a, b = x.chunk(2, dim=-1)` in PyTorch.

use crate::arguments::arguments;
use crate::error::ShapeError;
use crate::row::{Flow, Flows, Needs, Row};
use crate::rules::helpers::half;
use crate::shape::Shape;

arguments! {
    /// `silu(a) * b`, where `a` and `b` are the halves of the last axis (Shazeer, 2020).
    pub struct SwiGLU {}
}

impl SwiGLU {
    /// `[.., 2*C] -> [.., C]`
    ///
    /// # Errors
    /// When the last axis is odd.
    pub const fn output(&self, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        half(inputs[0])
    }
}

/// The row of `SwiGLU`.
pub static ROW: Row = Row {
    name: "SwiGLU",
    stem: "swi_glu",
    summary: "silu(a) * b of the halves a, b of the last axis",
    rule: |inputs, values| SwiGLU::from_values(values).output(inputs),
    flows: Flows { leading: Flow::Keep, last: Flow::Compute, keeps_rank: true },
    needs: Needs::INPUT,
    ..Row::BASE
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Blame;
    use crate::error::testing::refusal;

    #[test]
    fn has_half_of_the_features() {
        const INPUT: Shape = Shape::new(&[7, 10]);
        const OUTPUT: Shape = crate::error::expect(SwiGLU {}.output(&[INPUT]), "SwiGLU", "");
        assert_eq!(OUTPUT, Shape::new(&[7, 5]));
    }

    #[test]
    fn refuses_an_odd_number_of_features() {
        let (blame, words) = refusal(SwiGLU {}.output(&[Shape::new(&[7, 5])]));
        assert_eq!(blame, Blame::Layer);
        assert_eq!(
            words,
            "layer `it` splits its last axis into two halves, which needs an even size, but gets 7x5\n  \
             = help: let the layer before it give an even number of features or channels"
        );
    }
}
