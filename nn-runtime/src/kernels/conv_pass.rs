//! [`ConvPass`]: a convolution of the pixels of two axes by products.

use super::axis::{Axis, Band};
use super::geometry::Geometry;
use super::isa::Isa;
use super::product::{Init, Product, Strides3};

/// Numbers that stay in a second-level cache while others pass through it.
pub(super) const CACHED: usize = 1 << 17;

/// How images lie in memory.
#[derive(Clone, Copy)]
pub(super) struct ImageStrides {
    pub(super) channels: usize,
    /// Numbers in a line.
    pub(super) line: usize,
    /// Numbers in all.
    pub(super) len: usize,
}

impl ImageStrides {
    pub(super) const fn new([height, width]: [usize; 2], channels: usize) -> Self {
        Self { channels, line: width * channels, len: height * width * channels }
    }
}

/// One pass through the channels of a group, forward or backward.
pub(super) struct ConvPass<'a> {
    pub(super) isa: Isa,
    pub(super) kernel_width: usize,
    pub(super) read: ImageStrides,
    pub(super) written: ImageStrides,
    /// Channels of the group in the image that is read.
    pub(super) terms: usize,
    /// Channels of the group in the image that is written.
    pub(super) columns: usize,
    /// Numbers in the weights of one element of the kernel.
    pub(super) tap: usize,
    /// Those among them that one channel meets which is read.
    pub(super) weight_row: usize,
    pub(super) init: Init<'a>,
}

impl ConvPass<'_> {
    /// From the input to the output, through all channels and without a bias.
    pub(super) fn forward(isa: Isa, g: &Geometry) -> Self {
        Self {
            isa,
            kernel_width: g.kernel[1],
            read: ImageStrides::new(g.input, g.channels),
            written: ImageStrides::new(g.output, g.filters),
            terms: g.channels,
            columns: g.filters,
            tap: g.group_channels() * g.filters,
            weight_row: g.filters,
            init: Init::Zero,
        }
    }

    /// Computes the pixels of `axes`, in all images. Slices begin with the group's first channel.
    pub(super) fn compute(&self, axes: &[Axis; 2], x: &[f32], weight: &[f32], y: &mut [f32]) {
        let [h, w] = axes;
        let has_edges = h.inner().len() < h.pixels || w.inner().len() < w.pixels;
        if has_edges && h.taps * w.taps * self.tap > CACHED {
            return self.by_taps(axes, x, weight, y);
        }
        for row in h.bands() {
            for column in w.bands() {
                self.band(axes, [&row, &column], self.init, x, weight, y);
            }
        }
    }

    /// The same, one element of the kernel after the other: each band of pixels would read all weights, which
    /// do not stay in cache. The terms of each sum come in the same order.
    fn by_taps(&self, axes: &[Axis; 2], x: &[f32], weight: &[f32], y: &mut [f32]) {
        let [h, w] = axes;
        let all = |axis: &Axis| Band { pixels: 0..axis.pixels, met: 0..0 };
        self.band(axes, [&all(h), &all(w)], self.init, x, weight, y);
        let met = |axis: &Axis, tap| Band { pixels: axis.transposed().met(tap), met: tap..tap + 1 };
        for row in 0..h.taps {
            for column in 0..w.taps {
                let band = [&met(h, row), &met(w, column)];
                self.band(axes, band, Init::Accumulate, x, weight, y);
            }
        }
    }

    /// The pixels that meet the same elements of the kernel.
    fn band(
        &self,
        [h, w]: &[Axis; 2],
        [row, column]: [&Band; 2],
        init: Init<'_>,
        x: &[f32],
        weight: &[f32],
        y: &mut [f32],
    ) {
        let Self { read, written, tap, weight_row, .. } = *self;
        let tap_line = self.kernel_width * tap;
        let images = y.len().div_ceil(written.len);
        let rows = Strides3 {
            count: [images, row.pixels.len(), column.pixels.len()],
            a: [read.len, h.by_pixel * read.line, w.by_pixel * read.channels],
            other: [written.len, h.step * written.line, w.step * written.channels],
        };
        let terms = Strides3 {
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
        let product = Product { rows, terms, columns: self.columns, init };
        product.compute(self.isa, &x[a..], &weight[b..], &mut y[c..]);
    }
}
