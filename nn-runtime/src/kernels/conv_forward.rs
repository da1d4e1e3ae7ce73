//! [`conv_forward`]: which kernel computes the forward pass of a convolution.

use super::conv_args::ConvArgs;
use super::conv2d::conv2d_with;
use super::conv3d::conv3d;
use super::epilogue::Epilogue;
use super::geometry::Geometry;
use super::isa::Isa;
use super::winograd::conv2d_winograd;

/// The convolution of each image or volume, in inference and in training, with the layers after it. `memory` has
/// [`Geometry::winograd_len`] elements or more.
///
/// Inlined for the reason of [`conv2d`](super::conv2d()).
///
/// # Panics
/// If the lengths do not match, or there are layers after a convolution whose kernel is more than a plane deep.
#[inline(always)]
pub fn conv_forward(
    isa: Isa,
    g: &Geometry,
    args: ConvArgs<'_>,
    epilogue: Epilogue<'_>,
    memory: &mut [f32],
) {
    if g.suits_winograd() {
        conv2d_winograd(isa, &g.planes(), args, epilogue, memory);
    } else if g.is_of_planes() {
        conv2d_with(isa, &g.planes(), args, epilogue);
    } else {
        assert!(epilogue.is_none(), "a convolution of images");
        conv3d(isa, g, args);
    }
}
