//! `SiLU`: PyTorch's `nn.SiLU`.

use crate::role::{Activation, Role};
use crate::row::{Needs, Row};
use crate::rules::helpers::same_shape;

same_shape! {
    /// `x * sigmoid(x)`, element by element.
    pub struct SiLU {}
}

/// The row of `SiLU`.
pub static ROW: Row = Row {
    name: "SiLU",
    stem: "silu",
    summary: "x * sigmoid(x)",
    needs: Needs::INPUT,
    role: Role::Activation(Activation::Smooth),
    ..Row::ELEMENTWISE
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shape::Shape;

    #[test]
    fn keeps_the_shape() {
        const INPUT: Shape = Shape::new(&[28, 28, 32]);
        const OUTPUT: Shape = crate::error::expect(SiLU {}.output(&[INPUT]), "SiLU", "");
        assert_eq!(OUTPUT, INPUT);
    }
}
