//! One file for each kind of layer: its arguments, its shape rule, its row in the registry.

pub mod dense;
pub mod relu;
