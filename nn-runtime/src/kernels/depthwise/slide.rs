//! [`Slide`]: the convolution of an image by a kernel of five or seven columns and of stride 1.

#![expect(
    clippy::needless_range_loop,
    reason = "indices below constants, so that arrays become registers"
)]

use super::sizes::{ImageSlices, Sizes};
use super::window::{ELEMENTS, Vector, Window, vectors};
use crate::kernels::axis::Axis;
use crate::kernels::isa::{Kernel, Lanes};
use crate::system::KernelMemory;
use core::ops::Range;

/// Pixels that are computed together: as many sums as there are multiply-adds in flight at a time (two begin per cycle,
/// and each takes about four cycles).
const TILE: usize = 8;

/// Whether a kernel slides over the image: stride and dilation are 1, and it has five or seven columns. A window has room
/// for a kernel of up to seven lines.
pub(super) fn slides([rows, columns]: [Axis; 2]) -> bool {
    let one_by_one = |axis: Axis| axis.by_pixel == 1 && axis.by_tap == 1;
    // Narrower kernels have too few terms to make up for the copies; others are rare. Each width is code of its own.
    let common = matches!(rows.taps, 1..=7) && matches!(columns.taps, 5 | 7);
    common && one_by_one(rows) && one_by_one(columns)
}

/// The forward pass of one image.
pub(super) struct Slide<'a>(pub(super) ImageSlices<'a>);

impl Kernel for Slide<'_> {
    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) {
        let Self(image) = self;
        // Not initialised: `Window` writes what it reads.
        let mut memory = KernelMemory::take();
        let pixels = image.sizes.columns.pixels;
        let capacity = capacity::<L>(&image.sizes);
        let strip = strip_len(&image.sizes, capacity);
        let mut channel = 0;
        // Groups of channels outside, strips of pixels, then lines: the window of a group slides down the image once
        // per strip, and each line is copied once.
        while channel < image.sizes.channels {
            let window = Window::new::<L>(&image.sizes, channel, (strip, capacity), &mut memory);
            channel = window.end();
            // SAFETY: the slices have the lengths of the sizes, and each strip is at most as long as the window's.
            unsafe {
                window.copy_weights(lanes, image.weight.as_ptr());
                for first in (0..pixels).step_by(strip) {
                    image.lines(lanes, &window, first..pixels.min(first + strip));
                }
            }
        }
    }
}

/// Vectors that a window has room for: those of [`ELEMENTS`], or of two vectors of channels, if the memory of a kernel has them.
fn capacity<L: Lanes>(sizes: &Sizes) -> usize {
    // The two are neighbouring cache lines of each pixel, which processors fetch together: one by one, an image of
    // 112x112x32 took 1.4 times as long (with a kernel of three columns, which had a window then).
    let pair = 2 * vectors(sizes, whole_tiles(sizes));
    pair.max(ELEMENTS / L::COUNT).min(KernelMemory::LEN / L::COUNT)
}

/// The pixels of a line, in whole tiles: these may end beyond the last pixel. The window has room for what they read there, and
/// their sums are not stored.
const fn whole_tiles(sizes: &Sizes) -> usize {
    sizes.columns.pixels.next_multiple_of(TILE / 2)
}

/// As many pixels of a line as a window of `capacity` vectors has room for, in whole tiles, or all of them.
fn strip_len(sizes: &Sizes, capacity: usize) -> usize {
    let all = whole_tiles(sizes);
    let tiles = (1..=all / TILE).rev().map(|tiles| tiles * TILE);
    let mut strips = core::iter::once(all).chain(tiles);
    strips.find(|pixels| vectors(sizes, *pixels) <= capacity).unwrap_or(TILE)
}

/// A strip of a line of pixels, for vector `v` of a window.
struct WindowLine<'a, L: Lanes> {
    window: &'a Window<'a>,
    v: usize,
    vector: Vector<L>,
    row: usize,
    /// The lines of the kernel that are inside of the image.
    met: Range<usize>,
    /// The window's line of the first line of the kernel, whether or not it is inside of the image.
    line: usize,
    /// The pixels of the strip.
    pixels: Range<usize>,
}

impl ImageSlices<'_> {
    /// Computes `pixels` of all lines.
    ///
    /// # Safety
    /// The window must have the weights of its channels, and room for a strip of these pixels.
    #[inline(always)]
    unsafe fn lines<L: Lanes>(&self, lanes: L, window: &Window<'_>, pixels: Range<usize>) {
        let rows = self.sizes.rows;
        // The end of the lines that were copied so far, counted as in a window without end.
        let mut copied = 0;
        for row in 0..rows.pixels {
            let met = rows.met(row);
            // SAFETY: `Axis::met` yields lines that are inside of the image; the window has all lines that are met
            // before the pixels of this row are computed.
            unsafe {
                // Only lines that the window does not hold yet: one per row, except at the beginning.
                for i in met.start.max(copied.max(row) - row)..met.end {
                    let from = [rows.position(row, i), pixels.start];
                    window.copy(lanes, self.x.as_ptr(), from, (row + i) % rows.taps);
                }
                copied = row + rows.taps;
                for v in 0..window.vectors::<L>() {
                    // A ring buffer of as many lines as the kernel has: line `row + i` is at this position modulo their
                    // number.
                    let (line, met) = (row % rows.taps, met.clone());
                    let (vector, pixels) = (window.vector(lanes, v), pixels.clone());
                    self.line(lanes, &WindowLine { window, v, vector, row, met, line, pixels });
                }
            }
        }
    }

    /// Computes one line of pixels, for a vector of channels.
    ///
    /// # Safety
    /// The window must have what these pixels meet.
    #[inline(always)]
    unsafe fn line<L: Lanes>(&self, lanes: L, line: &WindowLine<'_, L>) {
        let mut column = line.pixels.start;
        while column < line.pixels.end {
            let rest = line.pixels.end - column;
            // SAFETY: `column` is one of the pixels.
            unsafe {
                if rest > TILE / 2 {
                    self.tile::<L, TILE>(lanes, line, column);
                    column += TILE;
                } else {
                    self.tile::<L, { TILE / 2 }>(lanes, line, column);
                    column += TILE / 2;
                }
            }
        }
    }

    /// Computes `M` neighbouring pixels from `column` on, or the rest of the line.
    ///
    /// # Safety
    /// As for [`Self::line`]; `column` must be one of the pixels.
    #[inline(always)]
    unsafe fn tile<L: Lanes, const M: usize>(
        &self,
        lanes: L,
        line: &WindowLine<'_, L>,
        column: usize,
    ) {
        let Sizes { channels, rows, columns, .. } = self.sizes;
        let WindowLine { window, v, vector, row, ref met, line, ref pixels } = *line;
        let rest = pixels.end - column;
        // SAFETY: a strip of the window has whole tiles, all lines that are met were copied to it, and so were the
        // weights; the bias has all channels; only pixels of the line are stored.
        unsafe {
            let at = self.sizes.written(row, column) + vector.channel;
            let (y, y_step) = (self.y.add(at), columns.step * channels);
            let mut sums = [lanes.zero(); M];
            if self.adds {
                // Pixels beyond the last one are computed as if they were it.
                for m in 0..M {
                    sums[m] = vector.load(y.add(m.min(rest - 1) * y_step));
                }
            } else if !self.bias.is_empty() {
                sums = [vector.load(self.bias.as_ptr().add(vector.channel)); M];
            }
            for i in met.clone() {
                // Not `%`, which is a division.
                let line = if line + i < rows.taps { line + i } else { line + i - rows.taps };
                let x = window.start.add(window.pixel::<L>(v, line, column - pixels.start));
                let weight = window.start.add(window.weights::<L>(v, i));
                if columns.taps == 5 {
                    slide::<L, M, 5>(lanes, &mut sums, x, weight);
                } else {
                    slide::<L, M, 7>(lanes, &mut sums, x, weight);
                }
            }
            if self.epilogue.is_for_sums() {
                // Pixels beyond the last one are computed as if they were it.
                let pixels = core::array::from_fn(|m| at + m.min(rest - 1) * y_step);
                vector.finish(&self.epilogue, pixels, &mut sums);
            }
            if vector.whole && rest >= M {
                for m in 0..M {
                    lanes.store(y.add(m * y_step), sums[m]);
                }
            } else {
                // A loop: unrolled, partial vectors took a good part of the time to compile this. It has a copy, since an
                // array with a variable index is in memory, and the sums would be from the first term on.
                let sums = sums;
                for (m, sum) in sums.into_iter().enumerate().take(rest) {
                    vector.store(y.add(m * y_step), sum);
                }
            }
            if self.epilogue.is_for_stored() {
                let count = (channels - vector.channel).min(L::COUNT);
                for step in (0..rest.min(M)).map(|m| m * y_step) {
                    let place = [vector.channel, at + step];
                    self.epilogue.apply_to_stored::<L>(place, y.add(step), count);
                }
            }
        }
    }
}

/// Adds the terms of one line of a kernel that is `K` wide. Each element of the image is loaded once for all kernel
/// elements.
///
/// # Safety
/// `M + K - 1` vectors must be readable from `x` on, and `K` from `weight` on.
#[inline(always)]
unsafe fn slide<L: Lanes, const M: usize, const K: usize>(
    lanes: L,
    sums: &mut [L::Vector; M],
    x: *const f32,
    weight: *const f32,
) {
    // SAFETY: by the contract of this function, `M + K - 1` vectors are readable from `x` on and `K` from `weight` on.
    unsafe {
        let mut weights = [lanes.zero(); K];
        for j in 0..K {
            weights[j] = lanes.load(weight.add(j * L::COUNT));
        }
        for p in 0..M + K - 1 {
            let x = lanes.load(x.add(p * L::COUNT));
            for j in 0..K {
                // Constant conditions of unrolled loops: pixel `p` of the window is element `j` of the pixel `p - j`
                // that is computed.
                if p >= j && p - j < M {
                    sums[p - j] = lanes.mul_add(x, weights[j], sums[p - j]);
                }
            }
        }
    }
}
