//! Warnings about common mistakes: networks that compile, and learn worse than they could or not at all.
//! docs/lints.md explains each.
//!
//! What a warning has to know of a layer is in its registry row (`Role`), so that a new layer changes nothing here. Sizes
//! that are constants of the user's are unknown while the macro expands: warnings that depend on one do not appear.

mod arguments;
mod chains;
mod depth;
mod inputs;
mod linter;
mod outputs;
mod positions;
mod warnings;

pub(crate) use linter::find_mistakes;
pub(crate) use warnings::Warnings;
