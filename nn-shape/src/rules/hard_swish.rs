//! `HardSwish`: PyTorch's `nn.Hardswish`.

use crate::role::{Activation, Role};
use crate::row::{Needs, Row};
use crate::rules::helpers::same_shape;

same_shape! {
    /// `x * min(max(x + 3, 0), 6) / 6`, element by element.
    pub struct HardSwish {}
}

/// The row of `HardSwish`.
pub static ROW: Row = Row {
    name: "HardSwish",
    stem: "hard_swish",
    summary: "x * min(max(x + 3, 0), 6) / 6",
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
        const OUTPUT: Shape = crate::error::expect(HardSwish {}.output(&[INPUT]), "HardSwish", "");
        assert_eq!(OUTPUT, INPUT);
    }
}
