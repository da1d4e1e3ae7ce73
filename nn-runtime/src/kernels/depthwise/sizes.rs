//! [`Sizes`] of a picture, and where its numbers stand.

use crate::kernels::Geometry;
use crate::kernels::axis::{Axis, Band};
use crate::kernels::isa::Lanes;
use core::ops::Range;

/// The sizes of one picture that is read and one that is written, or of the gradients of one.
#[derive(Clone, Copy)]
pub(super) struct Sizes {
    pub(super) channels: usize,
    pub(super) rows: Axis,
    pub(super) columns: Axis,
    /// Pixels in a line of the picture that is written, and elements in one of the kernel.
    width: usize,
    kernel_width: usize,
}

/// Neighbouring pixels of a line that meet the same elements of the kernel.
pub(super) struct Strip {
    pub(super) row: usize,
    pub(super) pixels: Range<usize>,
    /// The lines of the kernel that are met, and the elements of each; both empty where nothing is.
    pub(super) lines: Range<usize>,
    pub(super) met: Range<usize>,
}

/// Some channels of a strip.
pub(super) struct Channels<L: Lanes> {
    pub(super) first: usize,
    /// Whether they are as many whole vectors as were asked for, or one, of which some lanes are used.
    pub(super) whole: bool,
    pub(super) tail: L::Tail,
}

impl Sizes {
    pub(super) fn new(g: &Geometry, [rows, columns]: [Axis; 2], width: usize) -> Self {
        Self { channels: g.channels, rows, columns, width, kernel_width: g.kernel[1] }
    }

    /// All pixels, line by line.
    pub(super) fn strips(&self) -> impl Iterator<Item = Strip> {
        let Self { rows, columns, .. } = *self;
        (0..rows.pixels).flat_map(move |row| {
            columns.bands().map(move |Band { pixels, met }| {
                let lines = if met.is_empty() { 0..0 } else { rows.met(row) };
                Strip { row, pixels, lines, met }
            })
        })
    }

    /// All channels, `vectors` of them together as long as there are so many, then one by one.
    pub(super) fn channel_blocks<L: Lanes>(
        &self,
        vectors: usize,
    ) -> impl Iterator<Item = Channels<L>> {
        let (all, many) = (self.channels, vectors * L::COUNT);
        let mut next = 0;
        core::iter::from_fn(move || {
            let (first, rest) = (next, all - next);
            if rest == 0 {
                return None;
            }
            let whole = rest >= many;
            next += if whole { many } else { rest.min(L::COUNT) };
            // SAFETY: called by kernels alone, which run where there are the instructions.
            let tail = unsafe { L::tail(rest.min(L::COUNT)) };
            Some(Channels { first, whole, tail })
        })
    }

    /// Where the first channel of element `(i, j)` of the kernel stands in the weights.
    #[inline(always)]
    pub(super) fn weight(&self, i: usize, j: usize) -> usize {
        let (rows, columns) = (self.rows, self.columns);
        let line = (rows.tap + i * rows.tap_step) * self.kernel_width;
        (line + columns.tap + j * columns.tap_step) * self.channels
    }

    /// Where that of what pixel `(row, column)` meets with element `(i, j)` stands in the picture that is read.
    #[inline(always)]
    pub(super) fn read(&self, [row, column]: [usize; 2], [i, j]: [usize; 2]) -> usize {
        let line = self.rows.place(row, i) * self.columns.size;
        (line + self.columns.place(column, j)) * self.channels
    }

    /// Where that of pixel `(row, column)` stands in the picture that is written.
    #[inline(always)]
    pub(super) fn written(&self, row: usize, column: usize) -> usize {
        let row = self.rows.first + row * self.rows.step;
        (row * self.width + self.columns.first + column * self.columns.step) * self.channels
    }
}
