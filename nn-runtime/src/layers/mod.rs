//! The mathematics of the layers, one file each.

mod dense;
mod relu;
#[cfg(test)]
mod testing;

pub use dense::Dense;
pub use relu::ReLU;
