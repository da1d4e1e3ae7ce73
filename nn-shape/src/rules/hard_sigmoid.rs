//! `HardSigmoid`: PyTorch's `nn.Hardsigmoid`.

use crate::role::{Activation, Role};
use crate::row::{Needs, Row};
use crate::rules::helpers::same_shape;

same_shape! {
    /// `min(max(x + 3, 0), 6) / 6`, element by element.
    pub struct HardSigmoid {}
}

/// The row of `HardSigmoid`.
pub static ROW: Row = Row {
    name: "HardSigmoid",
    stem: "hard_sigmoid",
    summary: "min(max(x + 3, 0), 6) / 6",
    needs: Needs::INPUT,
    role: Role::Activation(Activation::Sigmoid),
    ..Row::ELEMENTWISE
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shape::Shape;

    #[test]
    fn keeps_the_shape() {
        const INPUT: Shape = Shape::new(&[28, 28, 32]);
        const OUTPUT: Shape =
            crate::error::expect(HardSigmoid {}.output(&[INPUT]), "HardSigmoid", "");
        assert_eq!(OUTPUT, INPUT);
    }
}
