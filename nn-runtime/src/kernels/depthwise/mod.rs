//! Depthwise convolutions: each channel has a kernel of its own and meets no other channel.
//!
//! Channels are the lanes of vectors. Common kernels that go on by one pixel slide over a window, into which the lines
//! that they meet are copied, with zeros where they hang over the edge: there the pixels of one vector of channels
//! lie side by side, and a number is loaded once for all elements of a line. In the picture neighbouring
//! pixels lie as far from each other as there are channels, and a few of them fill all places in a first-level cache that
//! they can go to. Any other kernel, stride and dilation reads the picture itself, and so does the gradient of the
//! weights: several vectors of each pixel, whole cache lines, whose copies would take as long as their use.

mod d_weight;
mod direct;
mod sizes;
mod slide;
mod window;

use super::Geometry;
use super::axis::Axis;
use super::conv2d::Taps;
use super::isa::Isa;
use super::product::Onto;
use d_weight::DWeight;
use direct::Direct;
use sizes::Sizes;
use slide::{Slide, slides};

/// Whether each output channel reads one input channel, and no other does.
#[inline]
pub(super) const fn is_depthwise(g: &Geometry) -> bool {
    g.group_channels() == 1 && g.group_filters() == 1
}

/// The convolution of each picture.
///
/// # Panics
/// When the lengths do not fit together, or the machine does not have the instructions.
pub(super) fn forward(
    isa: Isa,
    g: &Geometry,
    x: &[f32],
    weight: &[f32],
    bias: &[f32],
    y: &mut [f32],
) {
    check(g, x.len(), weight.len(), y.len());
    assert!(bias.is_empty() || bias.len() == g.filters, "a bias for each channel, or none");
    let axes = [0, 1].map(|axis| Axis::forward(g, axis));
    for (x, y) in x.chunks_exact(g.input_len()).zip(y.chunks_exact_mut(g.output_len())) {
        picture(isa, g, axes, g.output[1], [x, weight, bias], y);
    }
}

/// The gradient of the input of [`forward`], of the pixels of `axes`, with the kernel turned around.
///
/// # Panics
/// As [`forward`].
pub(super) fn d_x(
    isa: Isa,
    g: &Geometry,
    axes: [Axis; 2],
    d_y: &[f32],
    turned: &[f32],
    d_x: &mut [f32],
) {
    check(g, d_x.len(), turned.len(), d_y.len());
    for (d_y, d_x) in d_y.chunks_exact(g.output_len()).zip(d_x.chunks_exact_mut(g.input_len())) {
        picture(isa, g, axes, g.input[1], [d_y, turned, &[]], d_x);
    }
}

/// One picture of [`forward`] or [`d_x`], whose lengths were checked; the one that is written has lines of `width`.
fn picture(
    isa: Isa,
    g: &Geometry,
    axes: [Axis; 2],
    width: usize,
    [x, weight, bias]: [&[f32]; 3],
    y: &mut [f32],
) {
    let y = y.as_mut_ptr();
    let sizes = Sizes::new(g, axes, width);
    // SAFETY: all lengths are those of the geometry.
    unsafe {
        if slides(axes) {
            isa.run(&Slide { sizes, x, weight, bias, y });
        } else {
            isa.run(&Direct { sizes, x, weight, bias, y });
        }
    }
}

/// The gradient of the weights of [`forward`], or of those of one element of the kernel.
///
/// # Panics
/// As [`forward`].
pub(super) fn d_weight(
    isa: Isa,
    g: &Geometry,
    some: Option<Taps>,
    onto: Onto,
    x: &[f32],
    d_y: &[f32],
    d_weight: &mut [f32],
) {
    let mut axes = [0, 1].map(|axis| Axis::forward(g, axis));
    let mut len = d_weight.len();
    if let Some(Taps { tap, .. }) = some {
        let [rows, columns] = axes;
        let (i, j) = (tap / g.kernel[1], tap % g.kernel[1]);
        // Their place is the first of `d_weight`.
        let first = |axis: Axis| Axis { tap: 0, ..axis };
        axes = [first(rows.of_taps(i..i + 1)), first(columns.of_taps(j..j + 1))];
        assert_eq!(len, g.filters, "those of one element of the kernel");
        len = g.weight_len();
    }
    check(g, x.len(), len, d_y.len());
    if onto == Onto::Nothing {
        d_weight.fill(0.0);
    }
    let sizes = Sizes::new(g, axes, g.output[1]);
    for (x, d_y) in x.chunks_exact(g.input_len()).zip(d_y.chunks_exact(g.output_len())) {
        // SAFETY: checked above.
        unsafe { isa.run(&DWeight { sizes, x, d_y, d_weight: d_weight.as_mut_ptr() }) };
    }
}

/// # Panics
/// When lengths are not those of a depthwise convolution, so that a kernel would read or write beyond an end.
fn check(g: &Geometry, x: usize, weight: usize, y: usize) {
    assert!(is_depthwise(g), "as many groups as channels and filters");
    assert_eq!(weight, g.weight_len(), "a kernel for each channel");
    let pictures = x / g.input_len();
    assert_eq!(x, pictures * g.input_len(), "whole pictures");
    assert_eq!(y, pictures * g.output_len(), "as many pictures");
}
