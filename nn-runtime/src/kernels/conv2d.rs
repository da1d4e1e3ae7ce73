//! The kernels of convolutions. Each has a twin of the same name in [`reference`](super::reference).
//!
//! They read pictures in place, or a copy with zeros around it where there is padding; patches are
//! never gathered into a matrix.

use super::isa::Isa;
use super::product::{Begin, Kind, Onto, Product, Walk};
use super::{Border, Geometry, depthwise};
use nn_shape::StepMap;
use std::ops::Range;

/// The convolution of each picture of `x` with `weight`, plus `bias` (which may be empty).
/// `scratch` must have [`Geometry::padded_len`] numbers.
///
/// # Panics
/// When the lengths do not fit together.
pub fn conv2d(
    isa: Isa,
    g: &Geometry,
    x: &[f32],
    weight: &[f32],
    bias: &[f32],
    y: &mut [f32],
    scratch: &mut [f32],
) {
    if depthwise::is_depthwise(g) {
        return depthwise::forward(isa, g, x, weight, bias, y);
    }
    let output = g.output_len();
    for_each_padded(g, x, scratch, |first, n, x| {
        let y = &mut y[first * output..(first + n) * output];
        let rows = pixels(g, n, x.len() / n);
        for part in parts(g) {
            let begin = Begin::bias(if bias.is_empty() { bias } else { &bias[part.filters()] });
            let product = part.product(rows, taps(g), begin);
            product.compute(isa, &x[part.channel..], &weight[part.filter..], &mut y[part.filter..]);
        }
    });
}

/// Some rows of a convolution's weights, one row for each channel of one kernel element.
#[derive(Clone, Copy, Debug)]
pub struct Taps {
    /// The number of the kernel element.
    pub tap: usize,
    /// The first channel of a group.
    pub channel: usize,
}

/// The gradient of the weights of [`conv2d`], or of some rows: as many as `d_weight` holds, which must
/// be of one kernel element. `scratch` must have [`Geometry::padded_len`] numbers.
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
    if some.is_none() && depthwise::slides(g) {
        return depthwise::d_weight(isa, g, onto, x, d_y, d_weight);
    }
    let output = g.output_len();
    let mut rows = taps(g);
    let mut begin = 0;
    if let Some(Taps { tap, channel }) = some {
        let [i, j] = [tap / g.kernel[1], tap % g.kernel[1]];
        begin = i * rows.a[0] + j * rows.a[1] + channel;
        rows = Walk::line(d_weight.len() / g.filters, 1, g.filters);
    }
    for_each_padded(g, x, scratch, |first, n, x| {
        let d_y = &d_y[first * output..(first + n) * output];
        let terms = pixels(g, n, x.len() / n);
        for part in parts(g) {
            let product = part.product(rows, terms, onto.into());
            let (x, d_y) = (&x[begin + part.channel..], &d_y[part.filter..]);
            product.compute(isa, x, d_y, &mut d_weight[part.filter..]);
        }
        onto = Onto::Sum;
    });
}

/// The weights as [`conv2d_d_x`] wants them: the kernel turned around, `[KH, KW, F, C / groups]`.
///
/// # Panics
/// When the lengths do not fit together.
pub fn conv2d_turn(g: &Geometry, weight: &[f32], turned: &mut [f32]) {
    let (channels, filters) = (g.group_channels(), g.filters);
    let tap = channels * filters;
    assert!(
        weight.len() == g.weight_len() && turned.len() == g.weight_len(),
        "one for each weight"
    );
    for (weight, turned) in weight.chunks_exact(tap).zip(turned.chunks_exact_mut(tap).rev()) {
        for (f, turned) in turned.chunks_exact_mut(channels).enumerate() {
            for (c, turned) in turned.iter_mut().enumerate() {
                *turned = weight[c * filters + f];
            }
        }
    }
}

/// The gradient of the input of [`conv2d`], from weights in the order of [`conv2d_turn`]. `scratch`
/// must have [`Geometry::padded_gradient_len`] numbers.
///
/// A pixel of the input meets every `stride`-th element of the kernel only, and which ones depends
/// on its place modulo the stride: pixels that meet the same ones are computed together.
///
/// # Panics
/// When the lengths do not fit together.
pub fn conv2d_d_x(
    isa: Isa,
    g: &Geometry,
    d_y: &[f32],
    turned: &[f32],
    d_x: &mut [f32],
    scratch: &mut [f32],
) {
    if let Some(backwards) = depthwise::backwards(g) {
        return depthwise::forward(isa, &backwards, d_y, turned, &[], d_x);
    }
    let border = g.gradient_border();
    let pictures = d_y.chunks_exact(g.output_len()).zip(d_x.chunks_exact_mut(g.input_len()));
    for (d_y, d_x) in pictures {
        let d_y =
            if border.is_none() { d_y } else { border.add(g.output, g.filters, d_y, scratch) };
        for row in 0..g.stride[0].min(g.input[0]) {
            for column in 0..g.stride[1].min(g.input[1]) {
                d_x_of_phase(isa, g, [row, column], d_y, turned, d_x);
            }
        }
    }
}

/// The input gradient of the pixels `first`, `first + stride`, and so on: by bands of lines that meet
/// the same lines of the kernel, so that zeros above and below the picture cost nothing.
fn d_x_of_phase(
    isa: Isa,
    g: &Geometry,
    first: [usize; 2],
    d_y: &[f32],
    turned: &[f32],
    d_x: &mut [f32],
) {
    let [h, w] = [0, 1].map(|axis| Phase::new(g, axis, first[axis]));
    let mut line = 0;
    while line < h.pixels {
        let met = h.met(g, line);
        let lines = (line..h.pixels).take_while(|line| h.met(g, *line) == met).count();
        let band = Phase {
            pixels: lines,
            taps: met.len(),
            tap: h.tap + met.start * h.tap_step,
            output: h.output + line + met.start * h.output_step,
            ..h
        };
        let d_x = &mut d_x[(first[0] + line * g.stride[0]) * g.input[1] * g.channels..];
        d_x_of_band(isa, g, &band, &w, d_y, turned, &mut d_x[first[1] * g.channels..]);
        line += lines;
    }
}

/// The input gradient of pixels that meet the same elements of the kernel; `d_x` begins at the first.
fn d_x_of_band(
    isa: Isa,
    g: &Geometry,
    h: &Phase,
    w: &Phase,
    d_y: &[f32],
    turned: &[f32],
    d_x: &mut [f32],
) {
    let (filters, channels) = (g.filters, g.group_channels());
    let line = g.gradient_border().around(g.output)[1] * filters;
    let tap = filters * channels;
    let rows = Walk {
        count: [1, h.pixels, w.pixels],
        a: [0, line, filters],
        other: [0, g.stride[0] * g.input[1] * g.channels, g.stride[1] * g.channels],
    };
    let terms = Walk {
        count: [h.taps, w.taps, g.group_filters()],
        a: [h.output_step * line, w.output_step * filters, 1],
        other: [h.tap_step * g.kernel[1] * tap, w.tap_step * tap, channels],
    };
    let a = h.output * line + w.output * filters;
    let b = (h.tap * g.kernel[1] + w.tap) * tap;
    for part in parts(g) {
        let product = Product { columns: part.channels, ..part.product(rows, terms, Begin::Zero) };
        let b = &turned[b + part.filter * channels..];
        product.compute(isa, &d_y[a + part.filter..], b, &mut d_x[part.channel..]);
    }
}

/// What pixels of the input with the same place modulo the stride have in common, along one axis.
#[derive(Clone, Copy, Debug, Default)]
struct Phase {
    /// How many of them there are.
    pixels: usize,
    /// How many elements of the kernel they meet; with none, the rest does not matter.
    taps: usize,
    /// The first of these in the turned kernel, and how far it is to the next.
    tap: usize,
    tap_step: usize,
    /// Where the first pixel meets it in the padded output gradient, and how far it is to the next.
    output: usize,
    output_step: usize,
}

impl Phase {
    fn new(g: &Geometry, axis: usize, first: usize) -> Self {
        let (stride, dilation) = (g.stride[axis], g.dilation[axis]);
        let place = first + g.padding[axis][0];
        let pixels = (g.input[axis] - first).div_ceil(stride);
        let mut meeting = (0..g.kernel[axis]).filter(|i| (i * dilation) % stride == place % stride);
        let Some(least) = meeting.next() else { return Self { pixels, ..Self::default() } };
        let (second, taps) = (meeting.next(), 1 + meeting.count());
        let (taps, step) = second.map_or((1, 1), |second| (taps + 1, second - least));
        let most = least + (taps - 1) * step;
        // Not negative: the border has room for what the first pixels meet before the picture.
        let padded = place + g.gradient_border().before[axis] * stride;
        Self {
            pixels,
            taps,
            tap: g.kernel[axis] - 1 - most,
            tap_step: step,
            output: (padded - most * dilation) / stride,
            output_step: step * dilation / stride,
        }
    }

    /// Which of the elements of the kernel lie on the output gradient and not above or below it, for
    /// pixel line `line`.
    fn met(&self, g: &Geometry, line: usize) -> Range<usize> {
        let above = g.gradient_border().before[0];
        let on_it = |tap: &usize| {
            (above..above + g.output[0]).contains(&(self.output + line + tap * self.output_step))
        };
        let start = (0..self.taps).find(on_it).unwrap_or(0);
        start..start + (start..self.taps).take_while(on_it).count()
    }
}

/// Calls `f` with runs of pictures as the kernel goes over them: all as they are where there is no
/// padding, else one after the other, with zeros around it. The arguments are the first picture's
/// number, how many there are, and their numbers.
fn for_each_padded(
    g: &Geometry,
    x: &[f32],
    scratch: &mut [f32],
    mut f: impl FnMut(usize, usize, &[f32]),
) {
    let border = g.border();
    let input = g.input_len();
    if border.is_none() {
        return f(0, x.len() / input, x);
    }
    for (i, x) in x.chunks_exact(input).enumerate() {
        f(i, 1, border.add(g.input, g.channels, x, scratch));
    }
}

/// The pixels of `n` output pictures, and where the kernel begins for each in the padded input
/// pictures, which have `input` numbers.
fn pixels(g: &Geometry, n: usize, input: usize) -> Walk {
    let line = g.border().around(g.input)[1] * g.channels;
    Walk {
        count: [n, g.output[0], g.output[1]],
        a: [input, g.stride[0] * line, g.stride[1] * g.channels],
        other: [g.output_len(), g.output[1] * g.filters, g.filters],
    }
}

/// The elements of the kernel and the channels of a group, in the padded input and in the weights.
fn taps(g: &Geometry) -> Walk {
    let line = g.border().around(g.input)[1] * g.channels;
    let tap = g.group_channels() * g.filters;
    Walk {
        count: [g.kernel[0], g.kernel[1], g.group_channels()],
        a: [g.dilation[0] * line, g.dilation[1] * g.channels, 1],
        other: [g.kernel[1] * tap, tap, g.filters],
    }
}

/// The channels that are computed by one product: those of one group, or all of a depthwise
/// convolution.
struct PartOfChannels {
    kind: Kind,
    channel: usize,
    channels: usize,
    filter: usize,
    filters: usize,
}

impl PartOfChannels {
    fn filters(&self) -> Range<usize> {
        self.filter..self.filter + self.filters
    }

    fn product<'a>(&self, rows: Walk, terms: Walk, begin: Begin<'a>) -> Product<'a> {
        Product { kind: self.kind, rows, terms, columns: self.filters, begin }
    }
}

fn parts(g: &Geometry) -> impl Iterator<Item = PartOfChannels> {
    let depthwise = g.group_channels() == 1 && g.group_filters() == 1;
    let (kind, count) = if depthwise { (Kind::Columns, 1) } else { (Kind::Matrix, g.groups) };
    let (channels, filters) = (g.channels / count, g.filters / count);
    (0..count).map(move |part| PartOfChannels {
        kind,
        channel: part * channels,
        channels,
        filter: part * filters,
        filters,
    })
}

impl Geometry {
    /// The same convolution of pictures that have their padding already.
    #[must_use]
    pub const fn padded(self) -> Self {
        Self { input: self.border().around(self.input), padding: [[0; 2]; 2], ..self }
    }

    /// The same convolution of a picture that is 1 high and `valid` wide: as the steps of a sequence that
    /// ends early. Nothing comes out where the kernel does not fit.
    #[must_use]
    pub const fn of_steps(self, valid: usize) -> Self {
        let extent = self.dilation[1] * (self.kernel[1] - 1) + 1;
        let [before, after] = self.padding[1];
        let map = StepMap::kernel(extent, self.stride[1], before + after);
        Self { input: [1, valid], output: [1, map.apply(valid)], ..self }
    }

    /// What stands around an input picture.
    #[must_use]
    pub const fn border(&self) -> Border {
        let [height, width] = self.padding;
        Border { before: [height[0], width[0]], after: [height[1], width[1]] }
    }

    /// Numbers of an input picture with its padding; none where there is none.
    #[must_use]
    pub const fn padded_len(&self) -> usize {
        self.border().len(self.input, self.channels)
    }

    /// What has to stand around an output gradient so that every input pixel finds what it meets.
    #[must_use]
    pub const fn gradient_border(&self) -> Border {
        let (mut before, mut after) = ([0; 2], [0; 2]);
        let mut axis = 0;
        while axis < 2 {
            let padding = self.padding[axis][0];
            let reach = self.dilation[axis] * (self.kernel[axis] - 1);
            before[axis] = reach.saturating_sub(padding) / self.stride[axis];
            let last = (self.input[axis] - 1 + padding) / self.stride[axis];
            after[axis] = (last + 1).saturating_sub(self.output[axis]);
            axis += 1;
        }
        Border { before, after }
    }

    /// Numbers of an output gradient with that border, of this picture or of one that is less wide.
    #[must_use]
    pub const fn most_padded_gradient_len(&self) -> usize {
        // A shorter sequence may have a border where the full one has none.
        let [height, width] = self.gradient_border().around(self.output);
        if self.input[0] == 1 { height * width * self.filters } else { self.padded_gradient_len() }
    }

    /// Numbers of an output gradient with that border; none where there is none.
    #[must_use]
    pub const fn padded_gradient_len(&self) -> usize {
        self.gradient_border().len(self.output, self.filters)
    }
}
