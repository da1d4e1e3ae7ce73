//! `Mish`: PyTorch's `nn.Mish`.

use crate::role::{Activation, Role};
use crate::row::{Needs, Row};
use crate::rules::helpers::same_shape;

same_shape! {
    /// `x * tanh(ln(1 + exp(x)))`, element by element (Misra, 2019).
    pub struct Mish {}
}

/// The row of `Mish`.
pub static ROW: Row = Row {
    name: "Mish",
    stem: "mish",
    summary: "x * tanh(ln(1 + exp(x)))",
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
        const OUTPUT: Shape = crate::error::expect(Mish {}.output(&[INPUT]), "Mish", "");
        assert_eq!(OUTPUT, INPUT);
    }
}
