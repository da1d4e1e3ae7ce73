//! `SELU`: PyTorch's `nn.SELU`.

use crate::role::{Activation, Role};
use crate::row::{Needs, Row};
use crate::rules::helpers::same_shape;

same_shape! {
    /// `1.0507 * x` above 0, `1.7581 * (exp(x) - 1)` below, element by element (Klambauer et al., 2017).
    pub struct SELU {}
}

/// The row of `SELU`.
pub static ROW: Row = Row {
    name: "SELU",
    stem: "selu",
    summary: "1.0507 * x above 0, 1.7581 * (exp(x) - 1) below",
    needs: Needs::INPUT,
    role: Role::Activation(Activation::Rectifier),
    ..Row::ELEMENTWISE
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shape::Shape;

    #[test]
    fn keeps_the_shape() {
        const INPUT: Shape = Shape::new(&[28, 28, 32]);
        const OUTPUT: Shape = crate::error::expect(SELU {}.output(&[INPUT]), "SELU", "");
        assert_eq!(OUTPUT, INPUT);
    }
}
