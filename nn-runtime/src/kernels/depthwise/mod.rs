//! Depthwise convolutions: each channel has its own kernel and meets no other channel.
//!
//! Lanes are channels. Most kernels read the image itself, several vectors of each pixel ([`forward`](mod@forward),
//! [`d_weight`](mod@d_weight)). With three columns, the commonest case, neighbouring pixels are computed together, and an
//! element of a line is loaded once for all of them.
//!
//! Kernels of five and seven columns with stride 1 and dilation 1 slide over a window ([`slide`]): the lines that they meet
//! are copied, with zeros beyond the edges of the image, so that pixels at an edge are computed as all others
//! (docs/decisions/0043).

mod d_weight;
mod forward;
mod passes;
mod sizes;
mod slide;
mod window;

pub(crate) use passes::{d_weight, d_x, forward};
