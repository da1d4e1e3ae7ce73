//! The tensors of a network in files, and the order that PyTorch has their features in. The rules are described in
//! docs/weights.md.

mod channels;
mod features;
mod flat;
mod tensors;
#[cfg(test)]
mod tests;

pub use features::OrderConflict;
#[cfg(feature = "train")]
pub(crate) use tensors::layer_ranges;
pub(crate) use tensors::{FileTensors, file_tensors};
