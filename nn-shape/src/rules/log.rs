//! `Log`: PyTorch's `torch.log`.

use crate::row::{Needs, Row};
use crate::rules::helpers::same_shape;

same_shape! {
    /// `ln(x)`, element by element.
    pub struct Log {}
}

/// The row of `Log`.
pub static ROW: Row =
    Row { name: "Log", stem: "log", summary: "ln(x)", needs: Needs::INPUT, ..Row::ELEMENTWISE };
