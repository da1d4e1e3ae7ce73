//! The arithmetic of dense and convolutional layers, with sizes known at run time, so that it is
//! compiled once, optimised, and not in every program.

pub(crate) mod dispatch;
pub(crate) mod elementwise;
mod geometry;
pub(crate) mod norm;
pub(crate) mod pool;
pub mod reference;
pub(crate) mod rows;

pub use geometry::Geometry;
