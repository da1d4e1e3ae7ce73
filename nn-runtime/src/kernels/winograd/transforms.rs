//! The transforms of weights, inputs and sums, vector by vector of channels, none of which is partial.

#![expect(
    clippy::needless_range_loop,
    reason = "indices below constants, so that arrays become registers"
)]

use super::matrices::{Matrices, TILES};
use crate::kernels::epilogue::Epilogue;
use crate::kernels::geometry::Geometry;
use crate::kernels::isa::{Kernel, Lanes};
use core::ops::Range;

/// `U = G g Gᵀ` of some filters: matrices `[C, filters]`.
pub(super) struct WeightTransform<'a, 'm> {
    pub(super) g: &'a Geometry,
    pub(super) filters: Range<usize>,
    /// `[3, 3, C, F]`
    pub(super) weight: &'a [f32],
    pub(super) to: &'a mut Matrices<'m>,
}

impl Kernel for WeightTransform<'_, '_> {
    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) {
        let Self { g, filters, weight, to } = self;
        let (tap, count) = (g.channels * g.filters, filters.len());
        assert!(weight.len() == 9 * tap && filters.end <= g.filters, "all weights");
        assert!(to.stride >= g.channels * count && count.is_multiple_of(L::COUNT), "a matrix");
        for channel in 0..g.channels {
            for filter in (0..count).step_by(L::COUNT) {
                let at = channel * g.filters + filters.start + filter;
                let mut columns = [[lanes.zero(); 4]; 3];
                for j in 0..3 {
                    let mut column = [lanes.zero(); 3];
                    for i in 0..3 {
                        // SAFETY: a vector of filters of each of the nine kernel elements.
                        column[i] =
                            unsafe { lanes.load(weight.as_ptr().add((3 * i + j) * tap + at)) };
                    }
                    columns[j] = of_weights(lanes, column);
                }
                for i in 0..4 {
                    let row = of_weights(lanes, [columns[0][i], columns[1][i], columns[2][i]]);
                    // SAFETY: a vector of filters of a channel is inside of each matrix.
                    unsafe { to.store_row(lanes, i, channel * count + filter, row) }
                }
            }
        }
    }
}

/// `V = Bᵀ d B` of some tiles, row by row: matrices `[tiles, C]`.
pub(super) struct InputTransform<'a, 'm> {
    pub(super) g: &'a Geometry,
    pub(super) tiles: Range<usize>,
    /// An image.
    pub(super) x: &'a [f32],
    pub(super) to: &'a mut Matrices<'m>,
}

impl Kernel for InputTransform<'_, '_> {
    #[inline(always)]
    fn run<L: Lanes>(mut self, lanes: L) {
        let Geometry { input, padding, channels, .. } = *self.g;
        assert!(self.x.len() == input[0] * input[1] * channels, "an image");
        assert!(self.tiles.len() <= TILES && self.to.stride >= TILES * channels, "a matrix");
        assert!(channels.is_multiple_of(L::COUNT), "whole vectors");
        for (nth, tile) in self.tiles.clone().enumerate() {
            let pixel = first_pixel(self.g, tile);
            // The rows and columns of the 4x4 pixels that are inside of the image.
            let inside: [Range<usize>; 2] = [0, 1].map(|axis| {
                let before = padding[axis][0].saturating_sub(pixel[axis]).min(4);
                let end = (input[axis] + padding[axis][0]).saturating_sub(pixel[axis]).min(4);
                before..end.max(before)
            });
            // SAFETY: `inside` are pixels of the image; the tile is one of the `TILES` of each matrix.
            unsafe {
                if inside.iter().all(|inside| inside.len() == 4) {
                    self.tile::<L, true>(lanes, nth, pixel, &inside);
                } else {
                    self.tile::<L, false>(lanes, nth, pixel, &inside);
                }
            }
        }
    }
}

impl InputTransform<'_, '_> {
    /// Transforms a tile, of which with `INNER` all pixels are inside of the image; others are zeros.
    ///
    /// # Safety
    /// The pixels `inside` must be pixels of the image, and the matrices must have a row `nth`.
    #[inline(always)]
    unsafe fn tile<L: Lanes, const INNER: bool>(
        &mut self,
        lanes: L,
        nth: usize,
        pixel: [usize; 2],
        inside: &[Range<usize>; 2],
    ) {
        let Geometry { input: [_, width], padding, channels, .. } = *self.g;
        let first = pixel[0] as isize - padding[0][0] as isize;
        let left = pixel[1] as isize - padding[1][0] as isize;
        // Wrapping: it may be on the padding, where nothing is read.
        let from = self.x.as_ptr();
        let from = from.wrapping_offset((first * width as isize + left) * channels as isize);
        for channel in (0..channels).step_by(L::COUNT) {
            let mut columns = [[lanes.zero(); 4]; 4];
            for j in 0..4 {
                let mut column = [lanes.zero(); 4];
                for i in 0..4 {
                    if INNER || (inside[0].contains(&i) && inside[1].contains(&j)) {
                        let from = from.wrapping_add((i * width + j) * channels + channel);
                        // SAFETY: a vector of channels of a pixel of the image, by the contract of this function.
                        column[i] = unsafe { lanes.load(from) };
                    }
                }
                columns[j] = of_inputs(lanes, column);
            }
            for i in 0..4 {
                let row = [columns[0][i], columns[1][i], columns[2][i], columns[3][i]];
                let row = of_inputs(lanes, row);
                // SAFETY: a vector of channels of a row of each matrix, by the contract of this function.
                unsafe { self.to.store_row(lanes, i, nth * channels + channel, row) }
            }
        }
    }
}

/// `y = Aᵀ M A + b` of some tiles and channels, with the layers after it.
pub(super) struct OutputTransform<'a, 'm> {
    pub(super) g: &'a Geometry,
    pub(super) tiles: Range<usize>,
    /// Channels of `y`, of the bias and of the epilogue.
    pub(super) filters: usize,
    /// Those that the matrices `[tiles, channels]` have.
    pub(super) channels: Range<usize>,
    pub(super) from: &'a Matrices<'m>,
    pub(super) bias: &'a [f32],
    /// [Checked](Epilogue::check) for `y`.
    pub(super) epilogue: Epilogue<'a>,
    /// An image.
    pub(super) y: &'a mut [f32],
}

impl Kernel for OutputTransform<'_, '_> {
    #[inline(always)]
    fn run<L: Lanes>(mut self, lanes: L) {
        let (count, [height, width]) = (self.channels.len(), self.g.output);
        assert!(self.y.len() == height * width * self.filters, "an image");
        assert!(self.channels.end <= self.filters && count.is_multiple_of(L::COUNT), "channels");
        assert!(self.bias.is_empty() || self.bias.len() == self.filters, "a bias for each channel");
        assert!(self.tiles.len() <= TILES && self.from.stride >= TILES * count, "a matrix");
        for (nth, tile) in self.tiles.clone().enumerate() {
            let [row, column] = first_pixel(self.g, tile);
            assert!(row < height && column < width, "a tile of the image");
            // Pixels beyond the end of the image repeat the last one, and are not stored.
            let [rows, columns] = [height - row, width - column].map(|left| left.min(2));
            let mut pixels = [0; 4];
            for i in 0..4 {
                let (line, column) =
                    (row + (i / 2).min(rows - 1), column + (i % 2).min(columns - 1));
                pixels[i] = (line * width + column) * self.filters;
            }
            for vector in (0..count).step_by(L::COUNT) {
                // SAFETY: the vector is one of the channels, the pixels are in the image, and the matrices have a row `nth`.
                unsafe { self.vector(lanes, nth * count, vector, (pixels, [rows, columns])) }
            }
        }
    }
}

impl OutputTransform<'_, '_> {
    /// Computes a vector of channels of a tile, whose row begins at `row` in each matrix.
    ///
    /// # Safety
    /// The vector must be one of the channels and of the row, and there must be a pixel at each of `pixels`.
    #[inline(always)]
    unsafe fn vector<L: Lanes>(
        &mut self,
        lanes: L,
        row: usize,
        vector: usize,
        (mut pixels, [rows, columns]): ([usize; 4], [usize; 2]),
    ) {
        let channel = self.channels.start + vector;
        let mut halves = [[lanes.zero(); 2]; 4];
        for j in 0..4 {
            let mut column = [lanes.zero(); 4];
            for i in 0..4 {
                let at = (4 * i + j) * self.from.stride + row + vector;
                // SAFETY: a vector of a row of each matrix, by the contract of this function.
                column[i] = unsafe { lanes.load(self.from.values.as_ptr().add(at)) };
            }
            halves[j] = of_sums(lanes, column);
        }
        let mut bias = lanes.zero();
        if !self.bias.is_empty() {
            // SAFETY: there is an element for each channel, by the contract of this function.
            bias = unsafe { lanes.load(self.bias.as_ptr().add(channel)) };
        }
        let mut sums = [[lanes.zero(); 1]; 4];
        for i in 0..2 {
            let line = [halves[0][i], halves[1][i], halves[2][i], halves[3][i]];
            let line = of_sums(lanes, line);
            for j in 0..2 {
                sums[2 * i + j][0] = lanes.add(line[j], bias);
                pixels[2 * i + j] += channel;
            }
        }
        if !self.epilogue.is_none() {
            let tail = lanes.tail(L::COUNT);
            // SAFETY: the epilogue was checked for an output that has these channels and pixels.
            unsafe {
                self.epilogue.apply::<L, 4, 1, false>(lanes, (channel, pixels), &mut sums, tail);
            }
        }
        for i in 0..4 {
            if i / 2 < rows && i % 2 < columns {
                // SAFETY: a vector of channels of a pixel, by the contract of this function.
                unsafe { lanes.store(self.y.as_mut_ptr().add(pixels[i]), sums[i][0]) }
            }
        }
    }
}

impl Matrices<'_> {
    /// Stores a vector to element `at` of each of the four matrices of a row.
    ///
    /// # Safety
    /// There must be a vector at `at` in each matrix.
    #[inline(always)]
    unsafe fn store_row<L: Lanes>(&mut self, lanes: L, i: usize, at: usize, row: [L::Vector; 4]) {
        for j in 0..4 {
            // SAFETY: inside of matrix `4 * i + j`, by the contract of this function.
            unsafe {
                lanes.store(self.values.as_mut_ptr().add((4 * i + j) * self.stride + at), row[j])
            }
        }
    }
}

/// The row and the column of the first pixel of a tile in the output.
#[inline(always)]
fn first_pixel(g: &Geometry, tile: usize) -> [usize; 2] {
    let columns = g.output[1].div_ceil(2);
    [2 * (tile / columns), 2 * (tile % columns)]
}

/// `G g`
#[inline(always)]
fn of_weights<L: Lanes>(lanes: L, g: [L::Vector; 3]) -> [L::Vector; 4] {
    let half = lanes.splat(0.5);
    let (ends, middle) = (lanes.mul(lanes.add(g[0], g[2]), half), lanes.mul(g[1], half));
    [g[0], lanes.add(ends, middle), lanes.sub(ends, middle), g[2]]
}

/// `Bᵀ d`
#[inline(always)]
fn of_inputs<L: Lanes>(lanes: L, d: [L::Vector; 4]) -> [L::Vector; 4] {
    [lanes.sub(d[0], d[2]), lanes.add(d[1], d[2]), lanes.sub(d[2], d[1]), lanes.sub(d[1], d[3])]
}

/// `Aᵀ m`
#[inline(always)]
fn of_sums<L: Lanes>(lanes: L, m: [L::Vector; 4]) -> [L::Vector; 2] {
    [lanes.add(lanes.add(m[0], m[1]), m[2]), lanes.sub(lanes.sub(m[1], m[2]), m[3])]
}
