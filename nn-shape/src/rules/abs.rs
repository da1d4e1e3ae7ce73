//! `Abs`: PyTorch's `torch.abs`.

use crate::row::{Needs, Row};
use crate::rules::helpers::same_shape;

same_shape! {
    /// `|x|`, element by element.
    pub struct Abs {}
}

/// The row of `Abs`.
pub static ROW: Row =
    Row { name: "Abs", stem: "abs", summary: "absolute value of x", needs: Needs::INPUT, ..Row::ELEMENTWISE };
