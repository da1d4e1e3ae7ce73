//! `Pow`: PyTorch's `torch.pow(x, exponent)`.

use crate::row::{Needs, Row};
use crate::rules::helpers::same_shape;

same_shape! {
    /// `x` to the power of `exponent`, element by element. NaN where `x` is below 0 and `exponent` is no whole number.
    pub struct Pow {
        /// The exponent.
        exponent: Real,
    }
}

/// The row of `Pow`.
pub static ROW: Row = Row {
    name: "Pow",
    stem: "pow",
    summary: "x to the power of exponent",
    parameters: Pow::PARAMETERS,
    positional: 1,
    needs: Needs::INPUT,
    ..Row::ELEMENTWISE
};
