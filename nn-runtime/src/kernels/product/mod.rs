//! [`Product`]: the loop nest behind dense layers and convolutions, forward and backward.
//!
//! All of them are matrix products `C[m, n] = Σ A[m, k] B[k, n]` in which rows and columns of the matrices are at any
//! offset: a row can be a pixel, and `k` can run over the elements of a kernel and over channels. Nothing is copied
//! into a matrix beforehand (no im2col).
//!
//! Each element of `C` is one chain of multiply-adds in the order of `k`, whatever tile it is part of. A sample
//! therefore has the same bits by itself and in any batch.

mod compute;
mod init;
mod problem;
mod strides;
mod tile;

pub use init::Accumulate;
pub(crate) use init::Init;
pub(crate) use problem::Product;
pub(crate) use strides::Strides3;
