//! The arithmetic of dense and convolutional layers, with sizes known at run time, so that it is
//! compiled once, optimised, and not in every program.

mod geometry;
pub mod reference;

pub use geometry::Geometry;
