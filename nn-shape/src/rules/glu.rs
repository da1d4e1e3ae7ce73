//! `GLU`: PyTorch's `nn.GLU(dim=-1)`.

use crate::arguments::arguments;
use crate::error::ShapeError;
use crate::row::{Flow, Flows, Needs, Row};
use crate::rules::helpers::half;
use crate::shape::Shape;

arguments! {
    /// `a * sigmoid(b)`, where `a` and `b` are the halves of the last axis (Dauphin et al., 2017).
    pub struct GLU {}
}

impl GLU {
    /// `[.., 2*C] -> [.., C]`
    ///
    /// # Errors
    /// When the last axis is odd.
    pub const fn output(&self, inputs: &[Shape]) -> Result<Shape, ShapeError> {
        half(inputs[0])
    }
}

/// The row of `GLU`.
pub static ROW: Row = Row {
    name: "GLU",
    stem: "glu",
    summary: "a * sigmoid(b) of the halves a, b of the last axis",
    rule: |inputs, values| GLU::from_values(values).output(inputs),
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
        const OUTPUT: Shape = crate::error::expect(GLU {}.output(&[INPUT]), "GLU", "");
        assert_eq!(OUTPUT, Shape::new(&[7, 5]));
    }

    #[test]
    fn refuses_an_odd_number_of_features() {
        let (blame, words) = refusal(GLU {}.output(&[Shape::new(&[7, 5])]));
        assert_eq!(blame, Blame::Layer);
        assert_eq!(
            words,
            "layer `it` splits its last axis into two halves, which needs an even size, but gets 7x5\n  \
             = help: let the layer before it give an even number of features or channels"
        );
    }
}
