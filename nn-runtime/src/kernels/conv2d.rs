//! The kernels of convolutions. Each has a naive twin of the same name in `reference.rs`.
//!
//! They read images in place: patches are never gathered into a matrix. Pixels at the edges, which meet only a part of
//! the kernel, are separate products, so that no zeros are stored around an image.

use super::axis::Axis;
use super::conv_args::{ConvArgs, ConvDWeightArgs, Onto};
use super::conv_pass::{ConvPass, ImageStrides};
use super::depthwise;
use super::epilogue::Epilogue;
use super::geometry::{Geometry, Taps};
use super::isa::Isa;
use super::product::{Accumulate, Init, Product, Strides3};
use super::split::conv_by_lines;
#[cfg(feature = "std")]
use super::split::{conv_by_filters, splits_filters};
use super::transpose::transpose;
use core::ops::Range;
use unrolled_shape::CACHED;

/// The convolution of each image.
///
/// Inlined where channels and groups are constants, so that only programs with depthwise convolutions contain the
/// kernels of these, which are large.
///
/// # Panics
/// If the lengths do not match.
#[inline(always)]
pub fn conv2d(isa: Isa, g: &Geometry, args: ConvArgs<'_>) {
    conv2d_with(isa, g, args, Epilogue::NONE);
}

/// The convolution of each image, with the layers after it.
///
/// # Panics
/// If the lengths do not match.
#[inline(always)]
pub fn conv2d_with(isa: Isa, g: &Geometry, args: ConvArgs<'_>, epilogue: Epilogue<'_>) {
    conv2d_onto(isa, g, args, (Accumulate::Overwrite, epilogue));
}

/// The convolution of each image without a bias, added to the output.
///
/// # Panics
/// If the lengths do not match.
#[inline(always)]
pub(super) fn conv2d_add(isa: Isa, g: &Geometry, args: ConvArgs<'_>) {
    conv2d_onto(isa, g, args, (Accumulate::Add, Epilogue::NONE));
}

#[inline(always)]
fn conv2d_onto(isa: Isa, g: &Geometry, args: ConvArgs<'_>, onto: Onto<'_>) {
    if g.is_depthwise() {
        conv_by_lines(depthwise::forward, isa, g, args, onto);
    } else {
        conv2d_of_groups(isa, g, args, onto);
    }
}

/// The convolution of each image whose groups have more than one channel or filter.
fn conv2d_of_groups(isa: Isa, g: &Geometry, args: ConvArgs<'_>, onto: Onto<'_>) {
    #[cfg(feature = "std")]
    if args.x.len() == g.input_len() && splits_filters(g, onto.0) {
        return conv_by_filters(0, g, args, onto.1, &|filters, args, epilogue, _| {
            conv2d_of_filters(isa, g, filters, args, epilogue);
        });
    }
    conv_by_lines(conv2d_of_batches, isa, g, args, onto);
}

/// The same on this thread.
fn conv2d_of_batches(isa: Isa, g: &Geometry, mut args: ConvArgs<'_>, onto: Onto<'_>) {
    let (accumulate, epilogue) = onto;
    for_each_batch_in_cache(g, args.x.len(), |x, y| {
        let epilogue = epilogue.starting_at(y.start);
        conv2d_in_cache(isa, g, args.images(x, y), (accumulate, epilogue));
    });
}

/// The convolution of images that stay in cache.
fn conv2d_in_cache(isa: Isa, g: &Geometry, args: ConvArgs<'_>, (accumulate, epilogue): Onto<'_>) {
    let axes = [0, 1].map(|axis| Axis::forward(g, axis));
    let ConvArgs { x, weight, bias, y } = args;
    // Groups outside: each has a product of its own, and the images stay in cache from one to the next.
    for group in channel_groups(g) {
        let init = match accumulate {
            Accumulate::Add => Init::Partial,
            Accumulate::Overwrite if bias.is_empty() => Init::Zero,
            Accumulate::Overwrite => Init::Bias(&bias[group.filters()]),
        };
        // A group reads and writes channels of its own.
        let (terms, columns) = (group.channels, group.filters);
        let epilogue = epilogue.of_channels(&group.filters());
        let pass = ConvPass { terms, columns, init, epilogue, ..ConvPass::forward(isa, g) };
        let (weight, y) = (&weight[group.filter..], &mut y[group.filter..]);
        pass.compute(&axes, ConvArgs { x: &x[group.channel..], weight, bias: &[], y });
    }
}

/// The convolution of an image with some `filters` of a single group: the channels of `y`, and of what the epilogue adds.
#[cfg(feature = "std")]
fn conv2d_of_filters(
    isa: Isa,
    g: &Geometry,
    filters: Range<usize>,
    args: ConvArgs<'_>,
    epilogue: Epilogue<'_>,
) {
    let ConvArgs { x, weight, bias, y } = args;
    let (columns, written) = (filters.len(), ImageStrides::new(g.output, filters.len()));
    let init = if bias.is_empty() { Init::Zero } else { Init::Bias(&bias[filters.clone()]) };
    let pass = ConvPass { columns, written, init, epilogue, ..ConvPass::forward(isa, g) };
    let axes = [0, 1].map(|axis| Axis::forward(g, axis));
    pass.compute(&axes, ConvArgs { x, weight: &weight[filters.start..], bias: &[], y });
}

/// Some `filters` of a convolution by single elements of the image, in one group: these channels of `y`, from their weights
/// `[C, filters]` and their bias alone.
///
/// # Panics
/// If the lengths do not match.
pub fn pointwise_filters(
    isa: Isa,
    g: &Geometry,
    filters: Range<usize>,
    args: ConvArgs<'_>,
    epilogue: Epilogue<'_>,
) {
    let ConvArgs { x, weight, bias, y } = args;
    let (columns, weight_row) = (filters.len(), filters.len());
    assert!(g.groups == 1 && g.kernel == [1, 1] && weight.len() == g.channels * columns);
    epilogue.check(g.filters, y.len());
    let epilogue = epilogue.of_channels(&filters);
    let init = Init::bias(bias);
    let pass = ConvPass { columns, weight_row, init, epilogue, ..ConvPass::forward(isa, g) };
    let axes = [0, 1].map(|axis| Axis::forward(g, axis));
    pass.compute(&axes, ConvArgs { x, weight, bias: &[], y: &mut y[filters.start..] });
}

/// The gradient of the weights of [`conv2d`], or of some of them.
///
/// # Panics
/// If the lengths do not match.
pub fn conv2d_d_weight(isa: Isa, g: &Geometry, args: ConvDWeightArgs<'_>) {
    if g.is_depthwise() {
        return depthwise::d_weight(isa, g, args);
    }
    let ConvDWeightArgs { part, mut accumulate, x, d_y, d_weight, scratch } = args;
    if let Some(Taps { tap, channel }) = part {
        let taps = [tap / g.kernel[1], tap % g.kernel[1]].map(|tap| tap..tap + 1);
        let channels = channel..channel + d_weight.len() / g.filters;
        return d_weight_of_taps(
            isa,
            g,
            TapRange { taps, channels },
            DWeight { accumulate, x, d_y, d_weight },
        );
    }
    if g.scratch_len() == 0 {
        // Batches in order, the later ones added: each sum is the same chain over all pixels of all images.
        return for_each_batch_in_cache(g, x.len(), |x_batch, y_batch| {
            let (x, d_y) = (&x[x_batch], &d_y[y_batch]);
            d_weight_by_bands(isa, g, DWeight { accumulate, x, d_y, d_weight });
            accumulate = Accumulate::Add;
        });
    }
    // With few channels a row of one kernel element is short. In a padded image all kernel elements meet the same
    // pixels, so that they are one product with longer rows.
    let images = x.chunks_exact(g.input_len()).zip(d_y.chunks_exact(g.output_len()));
    for (x, d_y) in images {
        let x = g.border().add(g.input, g.channels, x, scratch);
        d_weight_by_bands(isa, &g.padded(), DWeight { accumulate, x, d_y, d_weight });
        accumulate = Accumulate::Add;
    }
}

/// Images, and the gradient of weights.
struct DWeight<'a> {
    accumulate: Accumulate,
    x: &'a [f32],
    d_y: &'a [f32],
    d_weight: &'a mut [f32],
}

/// Kernel elements that meet the same pixels, and some channels of each group.
struct TapRange {
    taps: [Range<usize>; 2],
    channels: Range<usize>,
}

/// The gradient of all weights, by bands of kernel elements that meet the same pixels.
fn d_weight_by_bands(isa: Isa, g: &Geometry, args: DWeight<'_>) {
    let DWeight { accumulate, x, d_y, d_weight } = args;
    let [rows, columns] = [0, 1].map(|axis| Axis::forward(g, axis).transposed());
    for row in rows.bands() {
        for column in columns.bands() {
            let tap = row.pixels.start * g.kernel[1] + column.pixels.start;
            let d_weight = &mut d_weight[tap * g.group_channels() * g.filters..];
            let taps = [row.pixels.clone(), column.pixels];
            let range = TapRange { taps, channels: 0..g.group_channels() };
            d_weight_of_taps(isa, g, range, DWeight { accumulate, x, d_y, d_weight });
        }
    }
}

/// The gradient of the weights of `range`, the first of which is the first of `d_weight`.
fn d_weight_of_taps(isa: Isa, g: &Geometry, range: TapRange, args: DWeight<'_>) {
    let TapRange { taps, channels } = range;
    let DWeight { accumulate, x, d_y, d_weight } = args;
    let axes = [0, 1].map(|axis| Axis::forward(g, axis).transposed());
    let [h, w] = &axes;
    let [met_h, met_w] = [h.met(taps[0].start), w.met(taps[1].start)];
    let read = ImageStrides::new(g.input, g.channels);
    let written = ImageStrides::new(g.output, g.filters);
    let tap = g.group_channels() * g.filters;
    // Rows of the product are weights, its terms are the pixels of all images.
    let rows = Strides3 {
        count: [taps[0].len(), taps[1].len(), channels.len()],
        a: [h.by_pixel * read.line, w.by_pixel * read.channels, 1],
        other: [g.kernel[1] * tap, tap, g.filters],
    };
    let terms = Strides3 {
        count: [x.len() / read.len, met_h.len(), met_w.len()],
        a: [read.len, h.by_tap * read.line, w.by_tap * read.channels],
        other: [written.len, written.line, written.channels],
    };
    let (mut from_x, mut from_d_y) = (channels.start, 0);
    // Kernel elements that meet padding alone have no position on the image; their product has no terms.
    if terms.len() > 0 {
        let row = h.position(taps[0].start, met_h.start);
        let column = w.position(taps[1].start, met_w.start);
        from_x += row * read.line + column * read.channels;
        from_d_y = met_h.start * written.line + met_w.start * written.channels;
    }
    for group in channel_groups(g) {
        let product = Product::new(rows, terms, group.filters, accumulate.into());
        let (x, d_y) = (&x[from_x + group.channel..], &d_y[from_d_y + group.filter..]);
        product.compute_in_parts(isa, x, d_y, &mut d_weight[group.filter..]);
    }
}

/// The weights as [`conv2d_d_x`] reads them, `[KH, KW, F, C / groups]`: the kernel is flipped along both axes, and the
/// matrix of each kernel element is transposed.
///
/// # Panics
/// If the lengths do not match.
pub fn conv2d_flip(isa: Isa, g: &Geometry, weight: &[f32], flipped: &mut [f32]) {
    let (channels, filters) = (g.group_channels(), g.filters);
    let tap = channels * filters;
    assert!(
        weight.len() == g.weight_len() && flipped.len() == g.weight_len(),
        "one for each weight"
    );
    // Kernel elements are stored line by line, so that the reverse order flips both axes.
    for (weight, flipped) in weight.chunks_exact(tap).zip(flipped.chunks_exact_mut(tap).rev()) {
        transpose(isa, filters, weight, flipped);
    }
}

/// The gradient of the input of [`conv2d`], from weights that [`conv2d_flip`] wrote.
///
/// # Panics
/// If the lengths do not match.
pub fn conv2d_d_x(isa: Isa, g: &Geometry, d_y: &[f32], flipped: &[f32], d_x: &mut [f32]) {
    let args = ConvArgs { x: d_y, weight: flipped, bias: &[], y: d_x };
    d_x_onto(isa, g, args, Accumulate::Overwrite);
}

/// The gradient of the input of [`conv2d`], from weights that [`conv2d_flip`] wrote. It overwrites `y` of the arguments, or
/// is added to it.
///
/// # Panics
/// If the lengths do not match.
pub(super) fn d_x_onto(isa: Isa, g: &Geometry, mut args: ConvArgs<'_>, accumulate: Accumulate) {
    for_each_batch_in_cache(g, args.y.len(), |d_x, d_y| {
        d_x_in_cache(isa, g, args.images(d_y, d_x), accumulate);
    });
}

/// The input gradient of images that stay in cache.
fn d_x_in_cache(isa: Isa, g: &Geometry, mut args: ConvArgs<'_>, accumulate: Accumulate) {
    let (all_y, all_x) = (0..args.x.len(), 0..args.y.len());
    // Pixels of the same remainder modulo the stride meet the same kernel elements. Each class of pixels is a
    // convolution of stride 1 by these elements; nothing is multiplied by the zeros that a transposed convolution would
    // insert.
    for row in 0..g.stride[0].min(g.input[0]) {
        for column in 0..g.stride[1].min(g.input[1]) {
            let axes = [Axis::backward(g, 0, row), Axis::backward(g, 1, column)];
            // Each pixel belongs to one of these products, which overwrites it: `d_x` need not be cleared.
            let args = args.images(all_y.clone(), all_x.clone());
            if g.is_depthwise() {
                depthwise::d_x(isa, g, axes, args, accumulate);
            } else {
                d_x_of_pixels(isa, g, &axes, args, accumulate);
            }
        }
    }
}

/// The input gradient of the pixels of `axes`.
fn d_x_of_pixels(
    isa: Isa,
    g: &Geometry,
    axes: &[Axis; 2],
    args: ConvArgs<'_>,
    accumulate: Accumulate,
) {
    let ConvArgs { x: d_y, weight: flipped, y: d_x, .. } = args;
    let init = match accumulate {
        Accumulate::Overwrite => Init::Zero,
        Accumulate::Add => Init::Partial,
    };
    let channels = g.group_channels();
    for group in channel_groups(g) {
        let pass = ConvPass {
            isa,
            kernel_width: g.kernel[1],
            read: ImageStrides::new(g.output, g.filters),
            written: ImageStrides::new(g.input, g.channels),
            terms: group.filters,
            columns: group.channels,
            tap: channels * g.filters,
            weight_row: channels,
            init,
            epilogue: Epilogue::NONE,
        };
        let weight = &flipped[group.filter * channels..];
        let (x, y) = (&d_y[group.filter..], &mut d_x[group.channel..]);
        pass.compute(axes, ConvArgs { x, weight, bias: &[], y });
    }
}

/// Calls `f` with the ranges of consecutive images in the input, which has `len` elements, and in the output.
///
/// Images are passed over several times, by groups of channels and by bands of pixels, and should stay in cache
/// meanwhile. But the weights are read again for each batch, which should not dominate the time.
fn for_each_batch_in_cache(
    g: &Geometry,
    len: usize,
    mut f: impl FnMut(Range<usize>, Range<usize>),
) {
    let (input, output) = (g.input_len(), g.output_len());
    // About twice as many elements of images as of weights, or more: reading the weights takes the smaller part of the
    // time.
    let most = (CACHED.max(2 * g.weight_len()) / (input + output)).max(1);
    let images = len / input;
    for first in (0..images).step_by(most) {
        let end = images.min(first + most);
        f(first * input..end * input, first * output..end * output);
    }
}

/// The channels of one group.
struct ChannelGroup {
    channel: usize,
    channels: usize,
    filter: usize,
    filters: usize,
}

impl ChannelGroup {
    fn filters(&self) -> Range<usize> {
        self.filter..self.filter + self.filters
    }
}

fn channel_groups(g: &Geometry) -> impl Iterator<Item = ChannelGroup> {
    let (channels, filters) = (g.group_channels(), g.group_filters());
    (0..g.groups).map(move |group| ChannelGroup {
        channel: group * channels,
        channels,
        filter: group * filters,
        filters,
    })
}
