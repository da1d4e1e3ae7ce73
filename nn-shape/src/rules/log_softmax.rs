//! `LogSoftmax`: PyTorch's `nn.LogSoftmax(dim=-1)`.

use crate::row::{Features, Needs, Row};
use crate::rules::helpers::same_shape;

same_shape! {
    /// `x - ln(sum(exp(x)))` over the last axis.
    pub struct LogSoftmax {}
}

/// The row of `LogSoftmax`.
pub static ROW: Row = Row {
    name: "LogSoftmax",
    stem: "log_softmax",
    summary: "x - ln(sum(exp(x))) over the last axis",
    needs: Needs::OUTPUT,
    features: Features::Same,
    ..Row::BASE
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shape::Shape;

    #[test]
    fn keeps_the_shape() {
        const INPUT: Shape = Shape::new(&[28, 28, 32]);
        const OUTPUT: Shape =
            crate::error::expect(LogSoftmax {}.output(&[INPUT]), "LogSoftmax", "");
        assert_eq!(OUTPUT, INPUT);
    }
}
