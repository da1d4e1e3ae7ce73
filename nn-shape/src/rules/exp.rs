//! `Exp`: PyTorch's `torch.exp`.

use crate::row::{Needs, Row, Storage};
use crate::rules::helpers::same_shape;

same_shape! {
    /// `exp(x)`, element by element.
    pub struct Exp {}
}

/// The row of `Exp`.
pub static ROW: Row = Row {
    name: "Exp",
    stem: "exp",
    summary: "exp(x)",
    storage: Storage::InPlace,
    needs: Needs::OUTPUT,
    ..Row::ELEMENTWISE
};
