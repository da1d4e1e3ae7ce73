//! [`ConvPass`]: a convolution, forward or backward, as products.

use super::axis::{Axis, Band};
use super::conv_args::ConvArgs;
use super::epilogue::Epilogue;
use super::geometry::Geometry;
use super::isa::Isa;
use super::product::{Init, LONG_SUM, PARTIAL_SUM, Product, Strides3};
use unrolled_shape::CACHED;

/// Fewer channels are too few for a part of a long sum.
const FEW_CHANNELS: usize = 128;

/// A part of a long sum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    /// Up to [`PARTIAL_SUM`] channels of one element of the kernel.
    Element,
    /// A line of the kernel.
    Line,
}

/// The strides of images `[H, W, C]` in memory.
#[derive(Clone, Copy)]
pub(super) struct ImageStrides {
    /// Elements from one pixel to the next.
    pub(super) channels: usize,
    /// Elements from one line to the next.
    pub(super) line: usize,
    /// Elements from one image to the next.
    pub(super) len: usize,
}

impl ImageStrides {
    pub(super) const fn new([height, width]: [usize; 2], channels: usize) -> Self {
        Self { channels, line: width * channels, len: height * width * channels }
    }
}

/// A forward or backward pass through the channels of one group.
#[derive(Clone, Copy)]
pub(super) struct ConvPass<'a> {
    pub(super) isa: Isa,
    pub(super) kernel_width: usize,
    pub(super) read: ImageStrides,
    pub(super) written: ImageStrides,
    /// Channels of the group in the image that is read.
    pub(super) terms: usize,
    /// Channels of the group in the image that is written.
    pub(super) columns: usize,
    /// Elements of the weights of one kernel element.
    pub(super) tap: usize,
    /// Elements of the weights from one channel that is read to the next.
    pub(super) weight_row: usize,
    pub(super) init: Init<'a>,
    /// Of the group's channels.
    pub(super) epilogue: Epilogue<'a>,
}

impl ConvPass<'_> {
    /// The forward pass through all channels, without a bias.
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
            epilogue: Epilogue::NONE,
        }
    }

    /// Computes the pixels of `axes` in all images. Slices begin with the group's first channel; the bias is that of
    /// [`Self::init`].
    pub(super) fn compute(&self, axes: &[Axis; 2], args: ConvArgs<'_>) {
        let [h, w] = axes;
        // Without edges there is one band, which reads the weights once anyway. With edges there are several (nine for
        // kernel 3 with padding 1), each of which reads the weights that it meets.
        let has_edges = h.inner().len() < h.pixels || w.inner().len() < w.pixels;
        if has_edges && h.taps * w.taps * self.tap > CACHED && self.part(axes) != Some(Part::Line) {
            return self.by_taps(axes, args);
        }
        let mut args = args;
        for row in h.bands() {
            for column in w.bands() {
                self.band(axes, [&row, &column], &mut args);
            }
        }
    }

    /// Computes the same, one kernel element after the other: each band of pixels would read all weights, which do not
    /// stay in cache. The terms of each sum are in the same order.
    fn by_taps(&self, axes: &[Axis; 2], mut args: ConvArgs<'_>) {
        let [h, w] = axes;
        let all = |axis: &Axis| Band { pixels: 0..axis.pixels, met: 0..0 };
        // A product without terms initialises all pixels, also those that meet padding alone.
        let sums = Self { epilogue: Epilogue::NONE, ..*self };
        sums.band(axes, [&all(h), &all(w)], &mut args);
        let met = |axis: &Axis, tap| Band { pixels: axis.transposed().met(tap), met: tap..tap + 1 };
        let in_parts = self.part(axes).is_some() || matches!(self.init, Init::Partial);
        let init = if in_parts { Init::Partial } else { Init::Accumulate };
        let sums = Self { init, ..sums };
        for row in 0..h.taps {
            for column in 0..w.taps {
                let band = [&met(h, row), &met(w, column)];
                sums.band(axes, band, &mut args);
            }
        }
        if !self.epilogue.is_none() {
            // Once all terms are added.
            let last = Self { init: Init::Accumulate, ..*self };
            last.band(axes, [&all(h), &all(w)], &mut args);
        }
    }

    /// The parts of the sums, if these are long.
    ///
    /// They do not depend on which elements a pixel meets, so that padding is the same as zeros: the state of a stream.
    fn part(&self, [h, w]: &[Axis; 2]) -> Option<Part> {
        if h.taps * w.taps * self.terms <= LONG_SUM {
            None
        } else if self.terms >= FEW_CHANNELS {
            Some(Part::Element)
        } else {
            Some(Part::Line)
        }
    }

    /// Computes the pixels that meet the same kernel elements.
    fn band(&self, axes: &[Axis; 2], [row, column]: [&Band; 2], args: &mut ConvArgs<'_>) {
        let [h, w] = axes;
        let Self { read, written, tap, weight_row, init, .. } = *self;
        let tap_line = self.kernel_width * tap;
        // Rounded up, since the slice begins with the group's first channel: the last image lacks the channels before.
        let images = args.y.len().div_ceil(written.len);
        // Rows of the product are the pixels of all images, its terms the kernel elements that are met and their
        // channels.
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
        // Pixels that meet no kernel element have no position on the image that is read.
        if terms.len() > 0 {
            a = h.position(row.pixels.start, row.met.start) * read.line
                + w.position(column.pixels.start, column.met.start) * read.channels;
            b = (h.tap + row.met.start * h.tap_step) * tap_line
                + (w.tap + column.met.start * w.tap_step) * tap;
        }
        let first = |axis: &Axis, band: &Band| axis.first + band.pixels.start * axis.step;
        let c = first(h, row) * written.line + first(w, column) * written.channels;
        let epilogue = self.epilogue.starting_at(c);
        let product = Product { rows, terms, columns: self.columns, init, epilogue };
        let (x, weight, y) = (&args.x[a..], &args.weight[b..], &mut args.y[c..]);
        let most = match self.part(axes) {
            None => return product.compute(self.isa, x, weight, y),
            Some(Part::Element) => PARTIAL_SUM.min(self.terms),
            Some(Part::Line) => w.taps * self.terms,
        };
        if !matches!(init, Init::Partial) {
            // Also the first part is added to the initial value: it may be one of zeros.
            let terms = Strides3 { count: [0; 3], ..terms };
            Product::new(rows, terms, self.columns, init).compute(self.isa, x, weight, y);
        }
        Product { init: Init::Partial, ..product }.compute_parts_of(most, self.isa, x, weight, y);
    }
}
