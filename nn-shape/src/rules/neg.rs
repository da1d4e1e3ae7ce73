//! `Neg`: PyTorch's `torch.neg`.

use crate::row::{Needs, Row, Storage};
use crate::rules::helpers::same_shape;

same_shape! {
    /// `-x`, element by element.
    pub struct Neg {}
}

/// The row of `Neg`.
pub static ROW: Row = Row {
    name: "Neg",
    stem: "neg",
    summary: "-x",
    storage: Storage::InPlace,
    // The loop of the backward pass runs over it.
    needs: Needs::OUTPUT,
    ..Row::ELEMENTWISE
};
