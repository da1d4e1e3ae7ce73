//! [`Product`]: the loop nest behind dense layers and convolutions, forward and backward.
//!
//! All of them are matrix products `C[m, n] = Σ A[m, k] B[k, n]` in which rows and columns of the matrices are at any
//! offset: a row can be a pixel, and `k` can run over the elements of a kernel and over channels. Nothing is copied
//! into a matrix beforehand (no im2col).
//!
//! Each element of `C` is one chain of multiply-adds in the order of `k`, or, by `compute_in_parts`, a sum of such
//! chains, whatever tile it is part of. A sample therefore has the same bits by itself and in any batch.
//!
//! The loops, from the outside: panels of columns ([`Product::compute`]), blocks of terms where a panel of `B` is
//! packed, tiles of rows, and the terms of a tile (`tile`). These are the loops of GotoBLAS and BLIS (Goto and van de
//! Geijn, 2008; Van Zee and van de Geijn, 2015) with two differences. `A` is never packed: a tile reads single elements
//! of it, which it broadcasts, so that its rows may be anywhere. And `B` is packed only where it is read often enough
//! to make up for the copy. Callers with long sums (`dense`) split these into blocks, BLIS's `kc`.

mod compute;
mod init;
mod problem;
mod strides;
mod tile;

pub(crate) use compute::{LONG_DENSE_SUM, LONG_SUM, PARTIAL_SUM};
pub use init::Accumulate;
pub(crate) use init::Init;
pub(crate) use problem::Product;
pub(crate) use strides::Strides3;
