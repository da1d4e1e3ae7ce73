//! 3x3 convolutions of stride 1 by Winograd's algorithm F(2x2, 3x3) (Lavin and Gray, 2015).
//!
//! The output is cut into tiles of 2x2 pixels, each of which reads 4x4 pixels of the input. With `U = G g Gᵀ` of the weights
//! and `V = Bᵀ d B` of the input of a tile, both 4x4, the tile is `Aᵀ M A`, where each of the 16 elements of `M` is the sum
//! over channels of the products of those of `U` and `V`. So the sums are 16 matrix products, and a pixel takes 4
//! multiply-adds for each channel instead of 9.
//!
//! `V` and `M` are computed for some tiles, and `U` for some filters, so that the products read what is in a second-level
//! cache. Each output is a sum of its own, so that its bits depend neither on the other tiles and filters nor on the batch.

mod convolution;
mod matrices;
#[cfg(test)]
mod tests;
mod transforms;

pub(super) use convolution::conv2d_winograd;
