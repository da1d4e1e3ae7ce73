//! The kernels of convolutions. Each has a twin of the same name in `reference.rs`.
//!
//! They read images in place: patches are never gathered into a matrix. Pixels at the edges, which meet a
//! part of the kernel only, are computed by themselves, so that there are no zeros around a image.

use super::axis::Axis;
use super::conv_pass::{CACHED, ConvPass, ImageStrides};
use super::depthwise;
use super::geometry::{Geometry, Taps};
use super::isa::Isa;
use super::product::{Accumulate, Init, Product, Strides3};
use super::transpose::transpose;
use std::ops::Range;

/// The convolution of each image of `x` with `weight`, plus `bias` (which may be empty).
///
/// Inlined where channels and groups are constants, so that only programs with depthwise convolutions hold
/// their kernels, which are large.
///
/// # Panics
/// When the lengths do not fit together.
#[inline(always)]
pub fn conv2d(isa: Isa, g: &Geometry, x: &[f32], weight: &[f32], bias: &[f32], y: &mut [f32]) {
    if g.is_depthwise() {
        depthwise::forward(isa, g, x, weight, bias, y);
    } else {
        conv2d_of_groups(isa, g, x, weight, bias, y);
    }
}

/// The convolution of each image whose groups have more than one channel or filter.
fn conv2d_of_groups(
    isa: Isa,
    g: &Geometry,
    x: &[f32],
    weight: &[f32],
    bias: &[f32],
    y: &mut [f32],
) {
    for_each_run(g, x.len(), |x_run, y_run| {
        conv2d_of_run(isa, g, &x[x_run], weight, bias, &mut y[y_run]);
    });
}

/// The convolution of images that stay in cache.
fn conv2d_of_run(isa: Isa, g: &Geometry, x: &[f32], weight: &[f32], bias: &[f32], y: &mut [f32]) {
    let axes = [0, 1].map(|axis| Axis::forward(g, axis));
    for part in parts(g) {
        let init = if bias.is_empty() { Init::Zero } else { Init::Bias(&bias[part.filters()]) };
        let pass = ConvPass {
            terms: part.channels,
            columns: part.filters,
            init,
            ..ConvPass::forward(isa, g)
        };
        pass.compute(&axes, &x[part.channel..], &weight[part.filter..], &mut y[part.filter..]);
    }
}

/// The gradient of the weights of [`conv2d`], or of some rows: as many as `d_weight` holds, which must
/// be of one kernel element. `scratch` must have [`Geometry::scratch_len`] numbers, unless it is of some.
///
/// # Panics
/// When the lengths do not fit together.
#[expect(clippy::too_many_arguments, reason = "sizes, two inputs, one output, memory")]
pub fn conv2d_d_weight(
    isa: Isa,
    g: &Geometry,
    some: Option<Taps>,
    mut accumulate: Accumulate,
    x: &[f32],
    d_y: &[f32],
    d_weight: &mut [f32],
    scratch: &mut [f32],
) {
    if g.is_depthwise() {
        return depthwise::d_weight(isa, g, some, accumulate, x, d_y, d_weight);
    }
    if let Some(Taps { tap, channel }) = some {
        let taps = [tap / g.kernel[1], tap % g.kernel[1]].map(|tap| tap..tap + 1);
        let channels = channel..channel + d_weight.len() / g.filters;
        return d_weight_of_taps(isa, g, taps, channels, accumulate, x, d_y, d_weight);
    }
    if g.scratch_len() == 0 {
        return for_each_run(g, x.len(), |x_run, y_run| {
            d_weight_by_bands(isa, g, accumulate, &x[x_run], &d_y[y_run], d_weight);
            accumulate = Accumulate::Add;
        });
    }
    let images = x.chunks_exact(g.input_len()).zip(d_y.chunks_exact(g.output_len()));
    for (x, d_y) in images {
        let x = g.border().add(g.input, g.channels, x, scratch);
        d_weight_by_bands(isa, &g.padded(), accumulate, x, d_y, d_weight);
        accumulate = Accumulate::Add;
    }
}

/// The gradient of all weights, by those elements of the kernel that meet the same pixels.
fn d_weight_by_bands(
    isa: Isa,
    g: &Geometry,
    accumulate: Accumulate,
    x: &[f32],
    d_y: &[f32],
    d_weight: &mut [f32],
) {
    let [rows, columns] = [0, 1].map(|axis| Axis::forward(g, axis).transposed());
    for row in rows.bands() {
        for column in columns.bands() {
            let tap = row.pixels.start * g.kernel[1] + column.pixels.start;
            let d_weight = &mut d_weight[tap * g.group_channels() * g.filters..];
            let taps = [row.pixels.clone(), column.pixels];
            d_weight_of_taps(isa, g, taps, 0..g.group_channels(), accumulate, x, d_y, d_weight);
        }
    }
}

/// The gradient of some weights: of elements of the kernel that meet the same pixels, and of some channels
/// of each group. `d_weight` begins with the first of them.
#[expect(clippy::too_many_arguments, reason = "sizes, which ones, two inputs, one output")]
fn d_weight_of_taps(
    isa: Isa,
    g: &Geometry,
    taps: [Range<usize>; 2],
    channels: Range<usize>,
    accumulate: Accumulate,
    x: &[f32],
    d_y: &[f32],
    d_weight: &mut [f32],
) {
    let axes = [0, 1].map(|axis| Axis::forward(g, axis).transposed());
    let [h, w] = &axes;
    let [met_h, met_w] = [h.met(taps[0].start), w.met(taps[1].start)];
    let (read, written) =
        (ImageStrides::new(g.input, g.channels), ImageStrides::new(g.output, g.filters));
    let tap = g.group_channels() * g.filters;
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
    if terms.len() > 0 {
        let place = |axis: &Axis, tap, pixel| axis.place(tap, pixel);
        let (row, column) =
            (place(h, taps[0].start, met_h.start), place(w, taps[1].start, met_w.start));
        from_x += row * read.line + column * read.channels;
        from_d_y = met_h.start * written.line + met_w.start * written.channels;
    }
    for part in parts(g) {
        let product = Product { rows, terms, columns: part.filters, init: accumulate.into() };
        let (x, d_y) = (&x[from_x + part.channel..], &d_y[from_d_y + part.filter..]);
        product.compute(isa, x, d_y, &mut d_weight[part.filter..]);
    }
}

/// The weights as [`conv2d_d_x`] wants them: the kernel flipped, `[KH, KW, F, C / groups]`.
///
/// # Panics
/// When the lengths do not fit together.
pub fn conv2d_flip(isa: Isa, g: &Geometry, weight: &[f32], flipped: &mut [f32]) {
    let (channels, filters) = (g.group_channels(), g.filters);
    let tap = channels * filters;
    assert!(
        weight.len() == g.weight_len() && flipped.len() == g.weight_len(),
        "one for each weight"
    );
    for (weight, flipped) in weight.chunks_exact(tap).zip(flipped.chunks_exact_mut(tap).rev()) {
        transpose(isa, filters, weight, flipped);
    }
}

/// The gradient of the input of [`conv2d`], from weights in the order of [`conv2d_flip`].
///
/// # Panics
/// When the lengths do not fit together.
pub fn conv2d_d_x(isa: Isa, g: &Geometry, d_y: &[f32], flipped: &[f32], d_x: &mut [f32]) {
    for_each_run(g, d_x.len(), |x_run, y_run| {
        d_x_of_run(isa, g, &d_y[y_run], flipped, &mut d_x[x_run]);
    });
}

/// The input gradient of images that stay in cache.
fn d_x_of_run(isa: Isa, g: &Geometry, d_y: &[f32], flipped: &[f32], d_x: &mut [f32]) {
    for row in 0..g.stride[0].min(g.input[0]) {
        for column in 0..g.stride[1].min(g.input[1]) {
            let axes = [Axis::backward(g, 0, row), Axis::backward(g, 1, column)];
            if g.is_depthwise() {
                depthwise::d_x(isa, g, axes, d_y, flipped, d_x);
            } else {
                d_x_of_pixels(isa, g, &axes, d_y, flipped, d_x);
            }
        }
    }
}

/// The input gradient of the pixels of `axes`.
fn d_x_of_pixels(
    isa: Isa,
    g: &Geometry,
    axes: &[Axis; 2],
    d_y: &[f32],
    flipped: &[f32],
    d_x: &mut [f32],
) {
    let channels = g.group_channels();
    for part in parts(g) {
        let pass = ConvPass {
            isa,
            kernel_width: g.kernel[1],
            read: ImageStrides::new(g.output, g.filters),
            written: ImageStrides::new(g.input, g.channels),
            terms: part.filters,
            columns: part.channels,
            tap: channels * g.filters,
            weight_row: channels,
            init: Init::Zero,
        };
        let weight = &flipped[part.filter * channels..];
        pass.compute(axes, &d_y[part.filter..], weight, &mut d_x[part.channel..]);
    }
}

/// Calls `f` with the places of runs of images, in the input, which has `len` numbers, and in the output. A
/// run is passed over several times, by groups of channels and by pixels that meet the same elements of the
/// kernel: it should stay in cache meanwhile. But the weights are read again for each run, and should not be
/// what takes the time.
fn for_each_run(g: &Geometry, len: usize, mut f: impl FnMut(Range<usize>, Range<usize>)) {
    let (input, output) = (g.input_len(), g.output_len());
    let most = (CACHED.max(2 * g.weight_len()) / (input + output)).max(1);
    let images = len / input;
    for first in (0..images).step_by(most) {
        let end = images.min(first + most);
        f(first * input..end * input, first * output..end * output);
    }
}

/// The channels of one group.
struct PartOfChannels {
    channel: usize,
    channels: usize,
    filter: usize,
    filters: usize,
}

impl PartOfChannels {
    fn filters(&self) -> Range<usize> {
        self.filter..self.filter + self.filters
    }
}

fn parts(g: &Geometry) -> impl Iterator<Item = PartOfChannels> {
    let (channels, filters) = (g.group_channels(), g.group_filters());
    (0..g.groups).map(move |part| PartOfChannels {
        channel: part * channels,
        channels,
        filter: part * filters,
        filters,
    })
}
