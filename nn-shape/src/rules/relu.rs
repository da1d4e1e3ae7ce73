//! `ReLU`: PyTorch's `nn.ReLU`.

use crate::fusion::Fusion;
use crate::role::{Activation, Role};
use crate::row::{Needs, Row, Storage};
use crate::rules::helpers::same_shape;

same_shape! {
    /// `max(x, 0)`, element by element.
    pub struct ReLU {}
}

/// The row of `ReLU`.
pub static ROW: Row = Row {
    name: "ReLU",
    stem: "relu",
    summary: "max(x, 0)",
    storage: Storage::InPlace,
    needs: Needs::OUTPUT,
    fusion: Fusion::Bounds,
    role: Role::Activation(Activation::ReLU),
    ..Row::ELEMENTWISE
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shape::Shape;

    #[test]
    fn keeps_the_shape() {
        const INPUT: Shape = Shape::new(&[28, 28, 32]);
        const OUTPUT: Shape = crate::error::expect(ReLU {}.output(&[INPUT]), "ReLU", "");
        assert_eq!(OUTPUT, INPUT);
    }
}
