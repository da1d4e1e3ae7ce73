//! `Softmax`: PyTorch's `nn.Softmax(dim=-1)`.

use crate::role::Role;
use crate::row::{Features, Needs, Row};
use crate::rules::helpers::same_shape;

same_shape! {
    /// `exp(x) / sum(exp(x))` over the last axis.
    pub struct Softmax {}
}

/// The row of `Softmax`.
pub static ROW: Row = Row {
    name: "Softmax",
    stem: "softmax",
    summary: "exp(x) / sum(exp(x)) over the last axis",
    needs: Needs::OUTPUT,
    features: Features::Same,
    role: Role::Softmax,
    ..Row::BASE
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shape::Shape;

    #[test]
    fn keeps_the_shape() {
        const INPUT: Shape = Shape::new(&[28, 28, 32]);
        const OUTPUT: Shape = crate::error::expect(Softmax {}.output(&[INPUT]), "Softmax", "");
        assert_eq!(OUTPUT, INPUT);
    }
}
