//! `ReLU6`: PyTorch's `nn.ReLU6`.

use crate::fusion::Fusion;
use crate::role::{Activation, Role};
use crate::row::{Needs, Row, Storage};
use crate::rules::helpers::same_shape;

same_shape! {
    /// `min(max(x, 0), 6)`, element by element.
    pub struct ReLU6 {}
}

/// The row of `ReLU6`.
pub static ROW: Row = Row {
    name: "ReLU6",
    stem: "relu6",
    summary: "min(max(x, 0), 6)",
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
        const OUTPUT: Shape = crate::error::expect(ReLU6 {}.output(&[INPUT]), "ReLU6", "");
        assert_eq!(OUTPUT, INPUT);
    }
}
