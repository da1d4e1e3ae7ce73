//! One file for each kind of layer: its arguments, its shape rule, its row in the registry.
//!
//! The struct of a layer's arguments always has these methods, all `const fn(&self, &[Shape])`:
//! `output`, `params`, `buffers`, `macs`, `how`. The macro calls them through the row, expanded
//! code by name.

mod helpers;

pub mod dense;
pub mod relu;
