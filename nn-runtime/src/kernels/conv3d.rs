//! The kernels of convolutions of volumes. Each has a naive twin, that of the same convolution of images, in `reference.rs`.
//!
//! A plane of the output is the sum of two-dimensional convolutions: one for each plane of the kernel, of the plane of the
//! input that it meets. So the kernels of images compute it, and add to the output.

use super::conv_args::{ConvArgs, ConvDWeightArgs};
use super::conv2d::{conv2d, conv2d_add, conv2d_d_weight, conv2d_d_x, conv2d_flip, d_x_onto};
use super::geometry::{Geometry, Taps};
use super::isa::Isa;
use super::product::Accumulate;
use core::ops::Range;
use unrolled_shape::CACHED;

/// Neighbouring planes of the output and of the input that meet in plane `tap` of the kernel.
struct Planes {
    tap: usize,
    output: Range<usize>,
    input: Range<usize>,
}

/// Calls `f` with all planes of a volume that meet in one of the planes `taps` of the kernel.
///
/// Their order depends on the sizes alone: a volume has the same bits by itself and in any batch.
fn for_planes_that_meet(g: &Geometry, taps: &Range<usize>, mut f: impl FnMut(Planes)) {
    let (depth, plane) = (&g.depth, g.planes());
    // As many planes as stay in cache while all planes of the kernel pass over them.
    let most = (CACHED / (plane.input_len() + plane.output_len())).max(1);
    // Only neighbours in both volumes are one range.
    let together = if depth.stride == 1 { most } else { 1 };
    for first in (0..depth.output).step_by(most) {
        let end = depth.output.min(first + most);
        for tap in taps.clone() {
            let met = depth.met(tap);
            let end = met.end.min(end);
            for begin in (met.start.max(first)..end).step_by(together) {
                let output = begin..end.min(begin + together);
                let input = depth.position(begin, tap);
                f(Planes { tap, input: input..input + output.len(), output });
            }
        }
    }
}

impl Planes {
    /// The elements of the planes in a volume of the input and in one of the output.
    fn elements(&self, plane: &Geometry) -> [Range<usize>; 2] {
        let range = |planes: &Range<usize>, len: usize| planes.start * len..planes.end * len;
        [range(&self.input, plane.input_len()), range(&self.output, plane.output_len())]
    }
}

/// The convolution of each volume.
///
/// Inlined for the reason of [`conv2d`], and so that convolutions of images alone are these.
///
/// # Panics
/// If the lengths do not match.
#[inline(always)]
pub fn conv3d(isa: Isa, g: &Geometry, args: ConvArgs<'_>) {
    let plane = g.planes();
    if g.is_of_planes() {
        return conv2d(isa, &plane, args);
    }
    let ConvArgs { x, weight, bias, y } = args;
    check(g, x, y);
    begin_with(bias, y);
    for (x, y) in x.chunks_exact(g.input_len()).zip(y.chunks_exact_mut(g.output_len())) {
        for_planes_that_meet(g, &(0..g.depth.kernel), |planes| {
            let [of_x, of_y] = planes.elements(&plane);
            let weight = &weight[planes.tap * plane.weight_len()..][..plane.weight_len()];
            let (x, y) = (&x[of_x], &mut y[of_y]);
            conv2d_add(isa, &plane, ConvArgs { x, weight, bias: &[], y });
        });
    }
}

/// # Panics
/// If input and output are not as many whole volumes.
fn check(g: &Geometry, x: &[f32], y: &[f32]) {
    let volumes = x.len() / g.input_len();
    assert_eq!(x.len(), volumes * g.input_len(), "whole volumes");
    assert_eq!(y.len(), volumes * g.output_len(), "as many volumes");
}

/// Writes the bias, or zeros where there is none, to each row of `y`.
fn begin_with(bias: &[f32], y: &mut [f32]) {
    if bias.is_empty() {
        return y.fill(0.0);
    }
    for y in y.chunks_exact_mut(bias.len()) {
        y.copy_from_slice(bias);
    }
}

/// The gradient of the weights of [`conv3d`], or of some of them.
///
/// # Panics
/// If the lengths do not match.
pub fn conv3d_d_weight(isa: Isa, g: &Geometry, args: ConvDWeightArgs<'_>) {
    let plane = g.planes();
    if g.is_of_planes() {
        return conv2d_d_weight(isa, &plane, args);
    }
    let ConvDWeightArgs { part, accumulate, x, d_y, d_weight, scratch } = args;
    check(g, x, d_y);
    let (taps, part) = match part {
        None => (0..g.depth.kernel, None),
        Some(Taps { tap, channel }) => {
            let (of_depth, in_plane) = (tap / plane.taps(), tap % plane.taps());
            (of_depth..of_depth + 1, Some(Taps { tap: in_plane, channel }))
        }
    };
    // The planes are added one after the other, and some planes of the kernel may meet none.
    if accumulate == Accumulate::Overwrite {
        d_weight.fill(0.0);
    }
    // All weights of a plane of the kernel, or the part.
    let len = d_weight.len() / taps.len();
    for (x, d_y) in x.chunks_exact(g.input_len()).zip(d_y.chunks_exact(g.output_len())) {
        for_planes_that_meet(g, &taps, |planes| {
            let [of_x, of_y] = planes.elements(&plane);
            let args = ConvDWeightArgs {
                part,
                accumulate: Accumulate::Add,
                x: &x[of_x],
                d_y: &d_y[of_y],
                d_weight: &mut d_weight[(planes.tap - taps.start) * len..][..len],
                scratch: &mut *scratch,
            };
            conv2d_d_weight(isa, &plane, args);
        });
    }
}

/// The weights as [`conv3d_d_x`] reads them: those of each plane of the kernel as [`conv2d_flip`] writes them.
///
/// # Panics
/// If the lengths do not match.
pub fn conv3d_flip(isa: Isa, g: &Geometry, weight: &[f32], flipped: &mut [f32]) {
    let plane = g.planes();
    let planes = weight.chunks_exact(plane.weight_len());
    for (weight, flipped) in planes.zip(flipped.chunks_exact_mut(plane.weight_len())) {
        conv2d_flip(isa, &plane, weight, flipped);
    }
}

/// The gradient of the input of [`conv3d`], from weights that [`conv3d_flip`] wrote.
///
/// # Panics
/// If the lengths do not match.
pub fn conv3d_d_x(isa: Isa, g: &Geometry, d_y: &[f32], flipped: &[f32], d_x: &mut [f32]) {
    let plane = g.planes();
    if g.is_of_planes() {
        return conv2d_d_x(isa, &plane, d_y, flipped, d_x);
    }
    check(g, d_x, d_y);
    // Some planes of the input may meet nothing.
    d_x.fill(0.0);
    for (d_y, d_x) in d_y.chunks_exact(g.output_len()).zip(d_x.chunks_exact_mut(g.input_len())) {
        for_planes_that_meet(g, &(0..g.depth.kernel), |planes| {
            let [of_x, of_y] = planes.elements(&plane);
            let weight = &flipped[planes.tap * plane.weight_len()..][..plane.weight_len()];
            let (x, y) = (&d_y[of_y], &mut d_x[of_x]);
            d_x_onto(isa, &plane, ConvArgs { x, weight, bias: &[], y }, Accumulate::Add);
        });
    }
}
