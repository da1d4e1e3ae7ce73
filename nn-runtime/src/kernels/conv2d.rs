//! The kernels of convolutions. Each has a twin of the same name in `reference.rs`.
//!
//! They read pictures in place: patches are never gathered into a matrix. Pixels at the edges, which meet a
//! part of the kernel only, are computed by themselves, so that there are no zeros around a picture.

use super::axis::{Axis, Band};
use super::isa::Isa;
use super::product::{Begin, Onto, Product, Walk};
use super::transpose::transpose;
use super::{Geometry, depthwise};
use core::ops::Range;

/// Numbers that stay in a second-level cache while others pass through it.
const CACHED: usize = 1 << 17;

/// The convolution of each picture of `x` with `weight`, plus `bias` (which may be empty).
///
/// Inlined where channels and groups are constants, so that only programs with depthwise convolutions hold
/// their kernels, which are large.
///
/// # Panics
/// When the lengths do not fit together.
#[inline(always)]
pub fn conv2d(isa: Isa, g: &Geometry, x: &[f32], weight: &[f32], bias: &[f32], y: &mut [f32]) {
    if depthwise::is_depthwise(g) {
        depthwise::forward(isa, g, x, weight, bias, y);
    } else {
        conv2d_of_groups(isa, g, x, weight, bias, y);
    }
}

/// The convolution of each picture whose groups have more than one channel or filter.
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

/// The convolution of pictures that stay in cache.
fn conv2d_of_run(isa: Isa, g: &Geometry, x: &[f32], weight: &[f32], bias: &[f32], y: &mut [f32]) {
    let axes = [0, 1].map(|axis| Axis::forward(g, axis));
    for part in parts(g) {
        let begin = if bias.is_empty() { Begin::Zero } else { Begin::Row(&bias[part.filters()]) };
        let way =
            Way { terms: part.channels, columns: part.filters, begin, ..Way::forward(isa, g) };
        way.compute(&axes, &x[part.channel..], &weight[part.filter..], &mut y[part.filter..]);
    }
}

/// The channels of one kernel element, from one on.
#[derive(Clone, Copy, Debug)]
pub struct Taps {
    /// The number of the kernel element.
    pub tap: usize,
    /// The first channel of a group.
    pub channel: usize,
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
    mut onto: Onto,
    x: &[f32],
    d_y: &[f32],
    d_weight: &mut [f32],
    scratch: &mut [f32],
) {
    if depthwise::is_depthwise(g) {
        return depthwise::d_weight(isa, g, some, onto, x, d_y, d_weight);
    }
    if let Some(Taps { tap, channel }) = some {
        let taps = [tap / g.kernel[1], tap % g.kernel[1]].map(|tap| tap..tap + 1);
        let channels = channel..channel + d_weight.len() / g.filters;
        return d_weight_of_taps(isa, g, taps, channels, onto, x, d_y, d_weight);
    }
    if g.scratch_len() == 0 {
        return for_each_run(g, x.len(), |x_run, y_run| {
            d_weight_by_bands(isa, g, onto, &x[x_run], &d_y[y_run], d_weight);
            onto = Onto::Sum;
        });
    }
    let pictures = x.chunks_exact(g.input_len()).zip(d_y.chunks_exact(g.output_len()));
    for (x, d_y) in pictures {
        let x = g.border().add(g.input, g.channels, x, scratch);
        d_weight_by_bands(isa, &g.padded(), onto, x, d_y, d_weight);
        onto = Onto::Sum;
    }
}

/// The gradient of all weights, by those elements of the kernel that meet the same pixels.
fn d_weight_by_bands(
    isa: Isa,
    g: &Geometry,
    onto: Onto,
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
            d_weight_of_taps(isa, g, taps, 0..g.group_channels(), onto, x, d_y, d_weight);
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
    onto: Onto,
    x: &[f32],
    d_y: &[f32],
    d_weight: &mut [f32],
) {
    let axes = [0, 1].map(|axis| Axis::forward(g, axis).transposed());
    let [h, w] = &axes;
    let [met_h, met_w] = [h.met(taps[0].start), w.met(taps[1].start)];
    let (read, written) = (Picture::new(g.input, g.channels), Picture::new(g.output, g.filters));
    let tap = g.group_channels() * g.filters;
    let rows = Walk {
        count: [taps[0].len(), taps[1].len(), channels.len()],
        a: [h.by_pixel * read.line, w.by_pixel * read.channels, 1],
        other: [g.kernel[1] * tap, tap, g.filters],
    };
    let terms = Walk {
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
        let product = Product { rows, terms, columns: part.filters, begin: onto.into() };
        let (x, d_y) = (&x[from_x + part.channel..], &d_y[from_d_y + part.filter..]);
        product.compute(isa, x, d_y, &mut d_weight[part.filter..]);
    }
}

/// The weights as [`conv2d_d_x`] wants them: the kernel turned around, `[KH, KW, F, C / groups]`.
///
/// # Panics
/// When the lengths do not fit together.
pub fn conv2d_turn(isa: Isa, g: &Geometry, weight: &[f32], turned: &mut [f32]) {
    let (channels, filters) = (g.group_channels(), g.filters);
    let tap = channels * filters;
    assert!(
        weight.len() == g.weight_len() && turned.len() == g.weight_len(),
        "one for each weight"
    );
    for (weight, turned) in weight.chunks_exact(tap).zip(turned.chunks_exact_mut(tap).rev()) {
        transpose(isa, filters, weight, turned);
    }
}

/// The gradient of the input of [`conv2d`], from weights in the order of [`conv2d_turn`].
///
/// # Panics
/// When the lengths do not fit together.
pub fn conv2d_d_x(isa: Isa, g: &Geometry, d_y: &[f32], turned: &[f32], d_x: &mut [f32]) {
    for_each_run(g, d_x.len(), |x_run, y_run| {
        d_x_of_run(isa, g, &d_y[y_run], turned, &mut d_x[x_run]);
    });
}

/// The input gradient of pictures that stay in cache.
fn d_x_of_run(isa: Isa, g: &Geometry, d_y: &[f32], turned: &[f32], d_x: &mut [f32]) {
    for row in 0..g.stride[0].min(g.input[0]) {
        for column in 0..g.stride[1].min(g.input[1]) {
            let axes = [Axis::backward(g, 0, row), Axis::backward(g, 1, column)];
            if depthwise::is_depthwise(g) {
                depthwise::d_x(isa, g, axes, d_y, turned, d_x);
            } else {
                d_x_of_pixels(isa, g, &axes, d_y, turned, d_x);
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
    turned: &[f32],
    d_x: &mut [f32],
) {
    let channels = g.group_channels();
    for part in parts(g) {
        let way = Way {
            isa,
            kernel_width: g.kernel[1],
            read: Picture::new(g.output, g.filters),
            written: Picture::new(g.input, g.channels),
            terms: part.filters,
            columns: part.channels,
            tap: channels * g.filters,
            weight_row: channels,
            begin: Begin::Zero,
        };
        let weight = &turned[part.filter * channels..];
        way.compute(axes, &d_y[part.filter..], weight, &mut d_x[part.channel..]);
    }
}

/// Calls `f` with the places of runs of pictures, in the input, which has `len` numbers, and in the output. A
/// run is passed over several times, by groups of channels and by pixels that meet the same elements of the
/// kernel: it should stay in cache meanwhile. But the weights are read again for each run, and should not be
/// what takes the time.
fn for_each_run(g: &Geometry, len: usize, mut f: impl FnMut(Range<usize>, Range<usize>)) {
    let (input, output) = (g.input_len(), g.output_len());
    let most = (CACHED.max(2 * g.weight_len()) / (input + output)).max(1);
    let pictures = len / input;
    for first in (0..pictures).step_by(most) {
        let end = pictures.min(first + most);
        f(first * input..end * input, first * output..end * output);
    }
}

/// How pictures lie in memory.
#[derive(Clone, Copy)]
pub(super) struct Picture {
    channels: usize,
    /// Numbers in a line.
    line: usize,
    /// Numbers in all.
    len: usize,
}

impl Picture {
    pub(super) const fn new([height, width]: [usize; 2], channels: usize) -> Self {
        Self { channels, line: width * channels, len: height * width * channels }
    }
}

/// One way through the channels of a group, forward or backward.
pub(super) struct Way<'a> {
    pub(super) isa: Isa,
    pub(super) kernel_width: usize,
    pub(super) read: Picture,
    pub(super) written: Picture,
    /// Channels of the group in the picture that is read.
    pub(super) terms: usize,
    /// Channels of the group in the picture that is written.
    pub(super) columns: usize,
    /// Numbers in the weights of one element of the kernel.
    pub(super) tap: usize,
    /// Those among them that one channel meets which is read.
    pub(super) weight_row: usize,
    pub(super) begin: Begin<'a>,
}

impl Way<'_> {
    /// From the input to the output, through all channels and without a bias.
    pub(super) fn forward(isa: Isa, g: &Geometry) -> Self {
        Self {
            isa,
            kernel_width: g.kernel[1],
            read: Picture::new(g.input, g.channels),
            written: Picture::new(g.output, g.filters),
            terms: g.channels,
            columns: g.filters,
            tap: g.group_channels() * g.filters,
            weight_row: g.filters,
            begin: Begin::Zero,
        }
    }

    /// Computes the pixels of `axes`, in all pictures. Slices begin with the group's first channel.
    pub(super) fn compute(&self, axes: &[Axis; 2], x: &[f32], weight: &[f32], y: &mut [f32]) {
        let [h, w] = axes;
        let has_edges = h.inner().len() < h.pixels || w.inner().len() < w.pixels;
        if has_edges && h.taps * w.taps * self.tap > CACHED {
            return self.by_taps(axes, x, weight, y);
        }
        for row in h.bands() {
            for column in w.bands() {
                self.band(axes, [&row, &column], self.begin, x, weight, y);
            }
        }
    }

    /// The same, one element of the kernel after the other: each band of pixels would read all weights, which
    /// do not stay in cache. The terms of each sum come in the same order.
    fn by_taps(&self, axes: &[Axis; 2], x: &[f32], weight: &[f32], y: &mut [f32]) {
        let [h, w] = axes;
        let all = |axis: &Axis| Band { pixels: 0..axis.pixels, met: 0..0 };
        self.band(axes, [&all(h), &all(w)], self.begin, x, weight, y);
        let met = |axis: &Axis, tap| Band { pixels: axis.transposed().met(tap), met: tap..tap + 1 };
        for row in 0..h.taps {
            for column in 0..w.taps {
                let band = [&met(h, row), &met(w, column)];
                self.band(axes, band, Begin::Add, x, weight, y);
            }
        }
    }

    /// The pixels that meet the same elements of the kernel.
    fn band(
        &self,
        [h, w]: &[Axis; 2],
        [row, column]: [&Band; 2],
        begin: Begin<'_>,
        x: &[f32],
        weight: &[f32],
        y: &mut [f32],
    ) {
        let Self { read, written, tap, weight_row, .. } = *self;
        let tap_line = self.kernel_width * tap;
        let pictures = y.len().div_ceil(written.len);
        let rows = Walk {
            count: [pictures, row.pixels.len(), column.pixels.len()],
            a: [read.len, h.by_pixel * read.line, w.by_pixel * read.channels],
            other: [written.len, h.step * written.line, w.step * written.channels],
        };
        let terms = Walk {
            count: [row.met.len(), column.met.len(), self.terms],
            a: [h.by_tap * read.line, w.by_tap * read.channels, 1],
            other: [h.tap_step * tap_line, w.tap_step * tap, weight_row],
        };
        if rows.len() == 0 {
            return;
        }
        let (mut a, mut b) = (0, 0);
        if terms.len() > 0 {
            a = h.place(row.pixels.start, row.met.start) * read.line
                + w.place(column.pixels.start, column.met.start) * read.channels;
            b = (h.tap + row.met.start * h.tap_step) * tap_line
                + (w.tap + column.met.start * w.tap_step) * tap;
        }
        let place = |axis: &Axis, band: &Band| axis.first + band.pixels.start * axis.step;
        let c = place(h, row) * written.line + place(w, column) * written.channels;
        let product = Product { rows, terms, columns: self.columns, begin };
        product.compute(self.isa, &x[a..], &weight[b..], &mut y[c..]);
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
