//! Checks of lengths, and the choice of a kernel for each image.

use super::d_weight::DWeight;
use super::forward::Forward;
use super::sizes::{ImageSlices, Sizes};
use super::slide::{Slide, slides};
use crate::kernels::axis::Axis;
use crate::kernels::conv_args::{ConvArgs, ConvDWeightArgs, Onto};
use crate::kernels::epilogue::Epilogue;
use crate::kernels::geometry::{Geometry, Taps};
use crate::kernels::isa::Isa;
use crate::kernels::product::Accumulate;

/// The convolution of each image, with the layers after it.
///
/// # Panics
/// If the lengths do not match, or the machine does not have the instructions.
pub(crate) fn forward(
    isa: Isa,
    g: &Geometry,
    args: ConvArgs<'_>,
    (accumulate, epilogue): Onto<'_>,
) {
    let ConvArgs { x, weight, bias, y } = args;
    check(g, x.len(), weight.len(), y.len());
    assert!(bias.is_empty() || bias.len() == g.filters, "a bias for each channel, or none");
    epilogue.check(g.filters, y.len());
    let axes = [0, 1].map(|axis| Axis::forward(g, axis));
    let images = x.chunks_exact(g.input_len()).zip(y.chunks_exact_mut(g.output_len()));
    for (n, (x, y)) in images.enumerate() {
        let epilogue = epilogue.starting_at(n * y.len());
        let args = ConvArgs { x, weight, bias, y };
        image(isa, Sizes::new(g, axes, g.output[1]), args, (accumulate, epilogue));
    }
}

/// The gradient of the input of [`forward`], of the pixels of `axes`, with the flipped kernel.
///
/// # Panics
/// As [`forward`].
pub(crate) fn d_x(
    isa: Isa,
    g: &Geometry,
    axes: [Axis; 2],
    args: ConvArgs<'_>,
    accumulate: Accumulate,
) {
    let ConvArgs { x: d_y, weight, y: d_x, .. } = args;
    check(g, d_x.len(), weight.len(), d_y.len());
    for (x, y) in d_y.chunks_exact(g.output_len()).zip(d_x.chunks_exact_mut(g.input_len())) {
        let args = ConvArgs { x, weight, bias: &[], y };
        image(isa, Sizes::new(g, axes, g.input[1]), args, (accumulate, Epilogue::NONE));
    }
}

/// One image of [`forward`] or [`d_x`], whose lengths were checked.
fn image(isa: Isa, sizes: Sizes, args: ConvArgs<'_>, (accumulate, epilogue): Onto<'_>) {
    let ConvArgs { x, weight, bias, y } = args;
    let adds = accumulate == Accumulate::Add;
    let image = ImageSlices { sizes, x, weight, bias, adds, epilogue, y: y.as_mut_ptr() };
    let Sizes { rows, columns, .. } = sizes;
    // Code for common kernels would be kilobytes on a microcontroller.
    if cfg!(target_os = "none") {
        return isa.run(Forward::<0, 0>(image));
    }
    // Depends on the layer, not on the image: single samples and batches have the same bits.
    if slides([rows, columns]) {
        return isa.run(Slide(image));
    }
    let dilation = rows.by_tap.max(columns.by_tap);
    match [dilation, columns.taps, columns.by_pixel] {
        [1, 3, 1] => isa.run(Forward::<3, 1>(image)),
        [1, 3, 2] => isa.run(Forward::<3, 2>(image)),
        [1, 5, 2] => isa.run(Forward::<5, 2>(image)),
        _ => isa.run(Forward::<0, 0>(image)),
    }
}

/// The gradient of the weights of [`forward`], or of those of one kernel element.
///
/// # Panics
/// As [`forward`].
pub(crate) fn d_weight(isa: Isa, g: &Geometry, args: ConvDWeightArgs<'_>) {
    let ConvDWeightArgs { part, accumulate, x, d_y, d_weight, .. } = args;
    let mut axes = [0, 1].map(|axis| Axis::forward(g, axis));
    let mut len = d_weight.len();
    if let Some(Taps { tap, .. }) = part {
        let [rows, columns] = axes;
        let (i, j) = (tap / g.kernel[1], tap % g.kernel[1]);
        // The weights of this kernel element are the first of `d_weight`: its offset is 0 there, though not in the
        // kernel.
        let first = |axis: Axis| Axis { tap: 0, ..axis };
        // An axis of a single kernel element.
        axes = [first(rows.of_taps(i..i + 1)), first(columns.of_taps(j..j + 1))];
        assert_eq!(len, g.filters, "the weights of one kernel element");
        // A part has a length of its own, which was just checked; `check` then compares the other lengths.
        len = g.weight_len();
    }
    check(g, x.len(), len, d_y.len());
    // The kernel adds, strip by strip.
    if accumulate == Accumulate::Overwrite {
        d_weight.fill(0.0);
    }
    let sizes = Sizes::new(g, axes, g.output[1]);
    for (x, d_y) in x.chunks_exact(g.input_len()).zip(d_y.chunks_exact(g.output_len())) {
        isa.run(DWeight { sizes, x, d_y, d_weight: d_weight.as_mut_ptr() });
    }
}

/// # Panics
/// If the lengths are not those of a depthwise convolution, so that a kernel would read or write beyond an end.
fn check(g: &Geometry, x: usize, weight: usize, y: usize) {
    assert!(g.is_depthwise(), "as many groups as channels and filters");
    assert_eq!(weight, g.weight_len(), "a kernel for each channel");
    let images = x / g.input_len();
    assert_eq!(x, images * g.input_len(), "whole images");
    assert_eq!(y, images * g.output_len(), "as many images");
}
