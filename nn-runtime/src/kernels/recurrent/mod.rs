//! Recurrent layers: a stack of cells, each of which reads a whole batch of sequences.
//!
//! The products of a cell's inputs of all steps are one matrix product; the rest is step by step. Rows are packed (see
//! `packing`), so that the cost of sequences of different lengths is proportional to their lengths, and a sample's
//! values do not depend on the other samples of the batch.

mod args;
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

pub use args::{StackBackward, StackForward, StackStep};
pub use cell::Cell;
pub use stack::Stack;
pub(crate) use step::ConstStack;
