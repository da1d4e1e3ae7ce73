//! The mathematics of the layers, one file each.

mod dense;
mod relu;

pub use dense::Dense;
pub use relu::ReLU;
