//! Checks of lengths, and the choice of a kernel for each image.

use super::d_weight::DWeight;
use super::direct::Direct;
use super::sizes::Sizes;
use super::slide::{Slide, slides};
use crate::kernels::axis::Axis;
use crate::kernels::geometry::{Geometry, Taps};
use crate::kernels::isa::Isa;
use crate::kernels::product::Accumulate;

/// The convolution of each image.
///
/// # Panics
/// When the lengths do not fit together, or the machine does not have the instructions.
pub(crate) fn forward(
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
        image(isa, g, axes, g.output[1], [x, weight, bias], y);
    }
}

/// The gradient of the input of [`forward`], of the pixels of `axes`, with the kernel flipped.
///
/// # Panics
/// As [`forward`].
pub(crate) fn d_x(
    isa: Isa,
    g: &Geometry,
    axes: [Axis; 2],
    d_y: &[f32],
    flipped: &[f32],
    d_x: &mut [f32],
) {
    check(g, d_x.len(), flipped.len(), d_y.len());
    for (d_y, d_x) in d_y.chunks_exact(g.output_len()).zip(d_x.chunks_exact_mut(g.input_len())) {
        image(isa, g, axes, g.input[1], [d_y, flipped, &[]], d_x);
    }
}

/// One image of [`forward`] or [`d_x`], whose lengths were checked; the one that is written has lines of `width`.
fn image(
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
pub(crate) fn d_weight(
    isa: Isa,
    g: &Geometry,
    some: Option<Taps>,
    accumulate: Accumulate,
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
    if accumulate == Accumulate::Overwrite {
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
    assert!(g.is_depthwise(), "as many groups as channels and filters");
    assert_eq!(weight, g.weight_len(), "a kernel for each channel");
    let images = x / g.input_len();
    assert_eq!(x, images * g.input_len(), "whole images");
    assert_eq!(y, images * g.output_len(), "as many images");
}
