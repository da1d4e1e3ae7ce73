//! `Sqrt`: PyTorch's `torch.sqrt`.

use crate::row::{Needs, Row, Storage};
use crate::rules::helpers::same_shape;

same_shape! {
    /// `sqrt(x)`, element by element.
    pub struct Sqrt {}
}

/// The row of `Sqrt`.
pub static ROW: Row = Row {
    name: "Sqrt",
    stem: "sqrt",
    summary: "sqrt(x)",
    storage: Storage::InPlace,
    needs: Needs::OUTPUT,
    ..Row::ELEMENTWISE
};
