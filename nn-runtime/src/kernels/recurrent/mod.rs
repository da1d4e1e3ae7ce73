//! Recurrent layers: a stack of cells, each of which reads a whole batch of sequences.
//!
//! A cell's input products of all steps are one matrix product; then it goes step by step. Rows are packed
//! (see `packing`), so that sequences of different lengths cost what they are long, and a sample's
//! numbers do not depend on what else is in the batch.

mod backward;
mod cell;
mod forward;
mod gates;
mod layout;
mod packing;
mod panels;
#[cfg(test)]
mod reference;
mod stack;
mod step;
#[cfg(test)]
mod tests;

pub use cell::Cell;
pub use stack::Stack;
