//! `LogSigmoid`: PyTorch's `nn.LogSigmoid`.

use crate::role::{Activation, Role};
use crate::row::{Needs, Row};
use crate::rules::helpers::same_shape;

same_shape! {
    /// `ln(sigmoid(x))`, element by element.
    pub struct LogSigmoid {}
}

/// The row of `LogSigmoid`.
pub static ROW: Row = Row {
    name: "LogSigmoid",
    stem: "log_sigmoid",
    summary: "ln(sigmoid(x))",
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
        const OUTPUT: Shape =
            crate::error::expect(LogSigmoid {}.output(&[INPUT]), "LogSigmoid", "");
        assert_eq!(OUTPUT, INPUT);
    }
}
