//! `Tanh`: PyTorch's `nn.Tanh`.

use crate::role::{Activation, Role};
use crate::row::{Needs, Row, Storage};
use crate::rules::helpers::same_shape;

same_shape! {
    /// `tanh(x)`, element by element.
    pub struct Tanh {}
}

/// The row of `Tanh`.
pub static ROW: Row = Row {
    name: "Tanh",
    stem: "tanh",
    summary: "tanh(x)",
    storage: Storage::InPlace,
    needs: Needs::OUTPUT,
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
        const OUTPUT: Shape = crate::error::expect(Tanh {}.output(&[INPUT]), "Tanh", "");
        assert_eq!(OUTPUT, INPUT);
    }
}
