//! The mathematics of the layers, one file each.

mod conv2d;
mod dense;
mod relu;
#[cfg(test)]
mod testing;

pub use conv2d::Conv2d;
pub use dense::Dense;
pub use relu::ReLU;
