//! [`Sizes`] of a picture, and of the window that goes over it.

use crate::kernels::Geometry;
use crate::kernels::axis::Axis;
use nn_shape::rules::window::common_divisor;

/// Pixels that are computed together: as many sums as multiply-adds are under way at a time.
pub(super) const TILE: usize = 8;

/// The sizes of one picture.
#[derive(Clone, Copy)]
pub(super) struct Sizes {
    pub(super) channels: usize,
    pub(super) rows: Side,
    pub(super) columns: Side,
    /// Pixels in a line of the picture that is written, and elements in one of the kernel.
    pub(super) width: usize,
    pub(super) kernel_width: usize,
}

impl Sizes {
    pub(super) fn new(g: &Geometry, [rows, columns]: [Axis; 2], width: usize) -> Self {
        // Where one side meets no element of the kernel, no pixel does, and a window has nothing to hold.
        let meets =
            |axis: Axis| axis.of_taps(0..if rows.taps * columns.taps > 0 { axis.taps } else { 0 });
        let (rows, columns) = (Side::new(meets(rows)), Side::new(meets(columns)));
        Self { channels: g.channels, rows, columns, width, kernel_width: g.kernel[1] }
    }

    /// The elements of the kernel.
    pub(super) fn taps(&self) -> usize {
        self.rows.axis.taps * self.columns.axis.taps
    }

    /// Where element `(i, j)` of the kernel stands in the weights.
    #[inline(always)]
    pub(super) fn weight(&self, i: usize, j: usize) -> usize {
        let (rows, columns) = (self.rows.axis, self.columns.axis);
        let line = (rows.tap + i * rows.tap_step) * self.kernel_width;
        (line + columns.tap + j * columns.tap_step) * self.channels
    }

    /// How many vectors a window has for each vector of channels, where strips have `pixels`: an odd number, so
    /// that not all of them go to the same places in a cache.
    pub(super) fn window(&self, pixels: usize) -> usize {
        (self.taps() + self.rows.reach(1) * self.columns.reach(pixels)) | 1
    }

    /// As many pixels of a line as a window of `capacity` vectors has room for, or all of them.
    pub(super) fn strip(&self, capacity: usize) -> usize {
        let all = self.columns.axis.pixels.next_multiple_of(TILE / 2);
        let tiles = (1..=all / TILE).rev().map(|tiles| tiles * TILE);
        let mut strips = std::iter::once(all).chain(tiles);
        strips.find(|pixels| self.window(*pixels) <= capacity).unwrap_or(0)
    }

    /// Parts of the kernel for which a window of `capacity` vectors has room, one after the other: all of it,
    /// or else each element by itself.
    pub(super) fn parts(self, capacity: usize) -> impl Iterator<Item = Self> {
        let (rows, columns) = (self.rows.axis, self.columns.axis);
        let fits = self.strip(capacity) > 0;
        let (height, width) = if fits { (1, 1) } else { (rows.taps, columns.taps) };
        (0..height * width).map(move |part| {
            if fits {
                return self;
            }
            let (i, j) = (part / width, part % width);
            let (rows, columns) = (rows.of_taps(i..i + 1), columns.of_taps(j..j + 1));
            Self { rows: Side::new(rows), columns: Side::new(columns), ..self }
        })
    }
}

/// One side of a window: only those lines of the picture are copied that are met.
#[derive(Clone, Copy)]
pub(super) struct Side {
    pub(super) axis: Axis,
    /// How far it is in the picture from one line of the window to the next.
    pub(super) step: usize,
    /// How far it is in the window from pixel to pixel, and from element to element of the kernel.
    pub(super) by_pixel: usize,
    pub(super) by_tap: usize,
}

impl Side {
    pub(super) fn new(axis: Axis) -> Self {
        let step =
            if axis.taps > 1 { common_divisor(axis.by_pixel, axis.by_tap) } else { axis.by_pixel };
        Self { axis, step, by_pixel: axis.by_pixel / step, by_tap: axis.by_tap / step }
    }

    /// How many lines `pixels` of them meet.
    pub(super) fn reach(&self, pixels: usize) -> usize {
        let taps = self.axis.taps.saturating_sub(1);
        (pixels - 1) * self.by_pixel + taps * self.by_tap + 1
    }

    /// The first `count` lines from those that pixels meet, as elements of a kernel.
    pub(super) fn lines(&self, count: usize) -> Axis {
        Axis { taps: count, by_tap: self.step, ..self.axis }
    }
}
