//! [`Sizes`] of an image, and the offsets of its elements.

use crate::kernels::axis::{Axis, Band};
use crate::kernels::epilogue::Epilogue;
use crate::kernels::geometry::Geometry;
use crate::kernels::isa::Lanes;
use core::ops::Range;

/// The sizes of the image that is read and of the one that is written, or of their gradients.
#[derive(Clone, Copy)]
pub(super) struct Sizes {
    pub(super) channels: usize,
    pub(super) rows: Axis,
    pub(super) columns: Axis,
    /// Pixels in a line of the image that is written.
    width: usize,
    /// Elements in a line of the kernel.
    kernel_width: usize,
}

/// An image to be computed. The slices and `y`, which nothing else accesses, have the lengths of the sizes.
pub(super) struct ImageSlices<'a> {
    pub(super) sizes: Sizes,
    pub(super) x: &'a [f32],
    pub(super) weight: &'a [f32],
    /// One element for each channel, or empty.
    pub(super) bias: &'a [f32],
    /// Whether sums begin with the elements of `y`, not with the bias.
    pub(super) adds: bool,
    /// Checked for an output of so many channels and elements.
    pub(super) epilogue: Epilogue<'a>,
    pub(super) y: *mut f32,
}

/// Neighbouring pixels of a line that meet the same kernel elements.
pub(super) struct Strip {
    pub(super) row: usize,
    pub(super) pixels: Range<usize>,
    /// The lines of the kernel that are met; empty if no element is.
    pub(super) lines: Range<usize>,
    /// The elements of each line that are met.
    pub(super) met: Range<usize>,
}

/// Some channels of a strip.
#[derive(Clone, Copy)]
pub(super) struct ChannelBlock<L: Lanes> {
    pub(super) first: usize,
    /// The number of its vectors.
    pub(super) vectors: usize,
    /// Whether the last vector is not partial.
    pub(super) whole: bool,
    pub(super) tail: L::Tail,
}

impl Sizes {
    pub(super) fn new(g: &Geometry, [rows, columns]: [Axis; 2], width: usize) -> Self {
        Self { channels: g.channels, rows, columns, width, kernel_width: g.kernel[1] }
    }

    /// All pixels, line by line.
    pub(super) fn strips(&self) -> impl Iterator<Item = Strip> {
        (0..self.rows.pixels)
            .flat_map(move |row| self.columns.bands().map(move |band| self.strip(row, &band)))
    }

    /// The pixels of a line that are in `band`.
    #[inline(always)]
    pub(super) fn strip(&self, row: usize, Band { pixels, met }: &Band) -> Strip {
        // If no element of a line is met, none is: loops over lines and elements then do nothing, and pixels are the bias.
        let lines = if met.is_empty() { 0..0 } else { self.rows.met(row) };
        Strip { row, pixels: pixels.clone(), lines, met: met.clone() }
    }

    /// All channels, in blocks of `most` vectors, a power of two, as long as there are that many, then of half as many, and
    /// so on. The last vector of all may be partial: the second of a block of two, or a single one.
    #[inline(always)]
    pub(super) fn channel_blocks<L: Lanes>(
        &self,
        lanes: L,
        most: usize,
    ) -> impl Iterator<Item = ChannelBlock<L>> {
        let (mut vectors, mut first, end) = (most, 0, self.channels);
        core::iter::from_fn(move || {
            let rest = end - first;
            if rest == 0 {
                return None;
            }
            while vectors > 1 && rest.div_ceil(L::COUNT) < vectors
                || vectors > 2 && rest < vectors * L::COUNT
            {
                vectors /= 2;
            }
            let whole = rest >= vectors * L::COUNT;
            let tail = lanes.tail((rest - (vectors - 1) * L::COUNT).min(L::COUNT));
            let block = ChannelBlock { first, vectors, whole, tail };
            first += rest.min(vectors * L::COUNT);
            Some(block)
        })
    }

    /// The offset of the first channel of kernel element `(i, j)` in the weights.
    #[inline(always)]
    pub(super) fn weight(&self, i: usize, j: usize) -> usize {
        let (rows, columns) = (self.rows, self.columns);
        let line = (rows.tap + i * rows.tap_step) * self.kernel_width;
        (line + columns.tap + j * columns.tap_step) * self.channels
    }

    /// The offset in the image that is read of the pixel that pixel `(row, column)` meets with kernel element `(i, j)`.
    #[inline(always)]
    pub(super) fn read(&self, [row, column]: [usize; 2], [i, j]: [usize; 2]) -> usize {
        let line = self.rows.position(row, i) * self.columns.size;
        (line + self.columns.position(column, j)) * self.channels
    }

    /// The offset of pixel `(row, column)` in the image that is written.
    #[inline(always)]
    pub(super) fn written(&self, row: usize, column: usize) -> usize {
        let row = self.rows.first + row * self.rows.step;
        (row * self.width + self.columns.first + column * self.columns.step) * self.channels
    }
}
