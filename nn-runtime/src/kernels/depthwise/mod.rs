//! Depthwise convolutions: each channel has a kernel of its own and meets no other channel.
//!
//! Channels are the lanes of vectors. Common kernels that go on by one pixel slide over a window, into which the lines
//! that they meet are copied, with zeros where they hang over the edge: there the pixels of one vector of channels
//! lie side by side, and a number is loaded once for all elements of a line. In the image neighbouring
//! pixels lie as far from each other as there are channels, and a few of them fill all places in a first-level cache that
//! they can go to. Any other kernel, stride and dilation reads the image itself, and so does the gradient of the
//! weights: several vectors of each pixel, whole cache lines, whose copies would take as long as their use.

mod d_weight;
mod direct;
mod passes;
mod sizes;
mod slide;
mod window;

pub(crate) use passes::{d_weight, d_x, forward};
