//! Depthwise convolutions: each channel has its own kernel and meets no other channel.
//!
//! Lanes are channels. Common kernels of stride 1 and dilation 1 slide over a window ([`slide`]): the lines that they
//! meet are copied, with zeros beyond the edges of the image, so that the pixels of one vector of channels are
//! contiguous and an element is loaded once for all kernel elements of a line. In the image itself, neighbouring pixels
//! are as many elements apart as there are channels; where that is a power of two, a few of them fill their sets of a
//! first-level cache.
//!
//! Any other kernel, stride and dilation reads the image itself ([`direct`]), and so does the gradient of the weights
//! ([`d_weight`](mod@d_weight)): several vectors of each pixel, whole cache lines, whose copies would take as long as
//! their use.

mod d_weight;
mod direct;
mod passes;
mod sizes;
mod slide;
mod window;

pub(crate) use passes::{d_weight, d_x, forward};
