//! `Softsign`: PyTorch's `nn.Softsign`.

use crate::role::{Activation, Role};
use crate::row::{Needs, Row};
use crate::rules::helpers::same_shape;

same_shape! {
    /// `x / (1 + |x|)`, element by element.
    pub struct Softsign {}
}

/// The row of `Softsign`.
pub static ROW: Row = Row {
    name: "Softsign",
    stem: "softsign",
    summary: "x / (1 + abs(x))",
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
        const OUTPUT: Shape = crate::error::expect(Softsign {}.output(&[INPUT]), "Softsign", "");
        assert_eq!(OUTPUT, INPUT);
    }
}
