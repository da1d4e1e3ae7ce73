//! `GELU`: PyTorch's `nn.GELU`.

use crate::arguments::words;
use crate::role::{Activation, Role};
use crate::row::Row;
use crate::rules::helpers::same_shape;

words! {
    /// Which formula `GELU` uses.
    pub enum Approximate {
        /// `none`: the exact one.
        None = "none",
        /// `tanh`: the approximation by `tanh`.
        Tanh = "tanh",
    }
}

same_shape! {
    /// `x * P(X <= x)` of a normal `X`, element by element: `x/2 * (1 + erf(x / sqrt(2)))`, or with
    /// `tanh` `x/2 * (1 + tanh(sqrt(2/pi) * (x + 0.044715 x^3)))`.
    pub struct GELU {
        /// The formula: exact or approximate.
        approximate: Word(Approximate) = Approximate::None,
    }
}

/// The row of `GELU`.
pub static ROW: Row = Row {
    name: "GELU",
    stem: "gelu",
    summary: "x * P(X <= x) of a standard normal X",
    parameters: GELU::PARAMETERS,
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
        const OUTPUT: Shape = crate::error::expect(
            GELU { approximate: Approximate::None }.output(&[INPUT]),
            "GELU",
            "",
        );
        assert_eq!(OUTPUT, INPUT);
    }
}
