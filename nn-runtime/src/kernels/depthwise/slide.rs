//! [`Slide`]: the convolution of a picture by a common kernel that goes on by one pixel.

#![expect(clippy::needless_range_loop, reason = "indices below constants: what becomes registers")]

use super::sizes::Sizes;
use super::window::{Vector, Window, WindowMemory, vectors};
use crate::kernels::axis::Axis;
use crate::kernels::isa::{Kernel, Lanes};
use core::mem::MaybeUninit;
use core::ops::Range;

/// Pixels that are computed together: as many sums as multiply-adds are under way at a time.
const TILE: usize = 8;

/// Whether a kernel slides over the picture: it goes on by one pixel, its elements lie side by side, and there is code
/// for its width. A window has room for one that is no higher.
pub(super) fn slides([rows, columns]: [Axis; 2]) -> bool {
    let one_by_one = |axis: Axis| axis.by_pixel == 1 && axis.by_tap == 1;
    let common = matches!(rows.taps, 1..=7) && matches!(columns.taps, 3 | 5 | 7);
    common && one_by_one(rows) && one_by_one(columns)
}

/// One picture forward.
pub(super) struct Slide<'a> {
    pub(super) sizes: Sizes,
    pub(super) x: &'a [f32],
    pub(super) weight: &'a [f32],
    pub(super) bias: &'a [f32],
    pub(super) y: *mut f32,
}

// SAFETY of all functions below: as in `window`.
impl Kernel for Slide<'_> {
    #[inline(always)]
    unsafe fn run<L: Lanes>(&self) {
        let mut memory = WindowMemory([const { MaybeUninit::uninit() }; _]);
        let pixels = self.sizes.columns.pixels;
        let strip = self.strip(memory.0.len() / L::COUNT);
        let mut channel = 0;
        while channel < self.sizes.channels {
            let window = Window::new::<L>(&self.sizes, channel, strip, &mut memory);
            channel = window.end();
            // SAFETY: above.
            unsafe {
                window.copy_weights::<L>(self.weight.as_ptr());
                for first in (0..pixels).step_by(strip) {
                    self.lines::<L>(&window, first..pixels.min(first + strip));
                }
            }
        }
    }
}

impl Slide<'_> {
    /// As many pixels of a line as a window of `capacity` vectors has room for, in whole tiles, or all of them.
    fn strip(&self, capacity: usize) -> usize {
        let all = self.sizes.columns.pixels.next_multiple_of(TILE / 2);
        let tiles = (1..=all / TILE).rev().map(|tiles| tiles * TILE);
        let mut strips = core::iter::once(all).chain(tiles);
        strips.find(|pixels| vectors(&self.sizes, *pixels) <= capacity).unwrap_or(TILE)
    }

    /// All lines of `pixels`.
    #[inline(always)]
    unsafe fn lines<L: Lanes>(&self, window: &Window<'_>, pixels: Range<usize>) {
        let rows = self.sizes.rows;
        // Copied up to here, of the lines that the window would have if it were endless.
        let mut copied = 0;
        for row in 0..rows.pixels {
            let met = rows.met(row);
            // SAFETY: above.
            unsafe {
                for i in met.start.max(copied.max(row) - row)..met.end {
                    let from = rows.place(row, i);
                    let line = (row + i) % rows.taps;
                    window.copy::<L>(self.x.as_ptr(), from, pixels.start, line);
                }
                copied = row + rows.taps;
                for v in 0..window.vectors::<L>() {
                    let (line, met) = (row % rows.taps, met.clone());
                    let line = Line { window, v, row, met, line, first: pixels.start };
                    self.line::<L>(&line, window.vector(v), pixels.clone());
                }
            }
        }
    }

    /// One line of pixels, for a vector of channels.
    #[inline(always)]
    unsafe fn line<L: Lanes>(&self, line: &Line<'_>, vector: Vector<L>, pixels: Range<usize>) {
        let mut column = pixels.start;
        while column < pixels.end {
            let rest = pixels.end - column;
            // SAFETY: above.
            unsafe {
                if rest > TILE / 2 {
                    self.tile::<L, TILE>(line, vector, column, rest);
                    column += TILE;
                } else {
                    self.tile::<L, { TILE / 2 }>(line, vector, column, rest);
                    column += TILE / 2;
                }
            }
        }
    }

    /// `M` neighbouring pixels, of which there are `rest`.
    #[inline(always)]
    unsafe fn tile<L: Lanes, const M: usize>(
        &self,
        line: &Line<'_>,
        vector: Vector<L>,
        column: usize,
        rest: usize,
    ) {
        let Sizes { channels, rows, columns, .. } = self.sizes;
        let Line { window, v, row, ref met, line, first } = *line;
        // SAFETY: above.
        unsafe {
            let mut sums = [L::zero(); M];
            if !self.bias.is_empty() {
                sums = [vector.load(self.bias.as_ptr().add(vector.channel)); M];
            }
            for i in met.clone() {
                let line = if line + i < rows.taps { line + i } else { line + i - rows.taps };
                let x = window.place::<L>(v, line, column - first);
                let weight = window.weights::<L>(v, i);
                match columns.taps {
                    3 => slide::<L, M, 3>(&mut sums, x, weight),
                    5 => slide::<L, M, 5>(&mut sums, x, weight),
                    _ => slide::<L, M, 7>(&mut sums, x, weight),
                }
            }
            let y = self.y.add(self.sizes.written(row, column) + vector.channel);
            let y_step = columns.step * channels;
            if vector.whole && rest >= M {
                for m in 0..M {
                    L::store(y.add(m * y_step), sums[m]);
                }
            } else {
                store_some(vector, sums, y, y_step, rest.min(M));
            }
        }
    }
}

/// A line of pixels, or a strip of it, for vector `v` of a window.
struct Line<'a> {
    window: &'a Window<'a>,
    v: usize,
    row: usize,
    /// The lines of the kernel that lie on the picture.
    met: Range<usize>,
    /// Where the kernel's first line stands in the window, if the picture has it.
    line: usize,
    /// The first pixel.
    first: usize,
}

/// Adds what a line of a kernel sums that is `K` wide: a number of the picture is loaded once for all of its elements.
#[inline(always)]
unsafe fn slide<L: Lanes, const M: usize, const K: usize>(
    sums: &mut [L::Vector; M],
    x: *const f32,
    weight: *const f32,
) {
    // SAFETY: above.
    unsafe {
        let mut weights = [L::zero(); K];
        for j in 0..K {
            weights[j] = L::load(weight.add(j * L::COUNT));
        }
        for p in 0..M + K - 1 {
            let x = L::load(x.add(p * L::COUNT));
            for j in 0..K {
                if p >= j && p - j < M {
                    sums[p - j] = L::mul_add(x, weights[j], sums[p - j]);
                }
            }
        }
    }
}

/// Stores the first `count` of `M` vectors, `step` numbers from each other. A loop: written out for each of them, ends
/// of vectors made up a good part of the time to compile this.
#[inline(always)]
unsafe fn store_some<L: Lanes, const M: usize>(
    vector: Vector<L>,
    vectors: [L::Vector; M],
    to: *mut f32,
    step: usize,
    count: usize,
) {
    for m in 0..count {
        // SAFETY: above.
        unsafe { vector.store(to.add(m * step), vectors[m]) };
    }
}
