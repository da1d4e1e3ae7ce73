//! `Sigmoid`: PyTorch's `nn.Sigmoid`.

use crate::role::{Activation, Role};
use crate::row::{Needs, Row, Storage};
use crate::rules::helpers::same_shape;

same_shape! {
    /// `1 / (1 + exp(-x))`, element by element.
    pub struct Sigmoid {}
}

/// The row of `Sigmoid`.
pub static ROW: Row = Row {
    name: "Sigmoid",
    stem: "sigmoid",
    summary: "1 / (1 + exp(-x))",
    storage: Storage::InPlace,
    needs: Needs::OUTPUT,
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
        const OUTPUT: Shape = crate::error::expect(Sigmoid {}.output(&[INPUT]), "Sigmoid", "");
        assert_eq!(OUTPUT, INPUT);
    }
}
