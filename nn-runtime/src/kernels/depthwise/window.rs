//! Leads work over a picture, through a window: what a line of pixels meets, vector by vector of channels.

use super::sizes::Sizes;
use crate::kernels::isa::Lanes;
use std::mem::MaybeUninit;
use std::ops::Range;

/// A vector of channels.
#[derive(Clone, Copy)]
pub(super) struct Vector<L: Lanes> {
    /// The first one.
    pub(super) channel: usize,
    /// Whether there are as many as there are lanes, and which ones are used.
    pub(super) whole: bool,
    pub(super) tail: L::Tail,
}

// SAFETY of all functions below: `check` has found the lengths of the slices, and of `y` and `d_weight`, which
// nobody else has. `Axis::met` keeps what is read on the picture, channels from `channel` on are as many as the
// tail says, and what is read of a window was written before.
impl<L: Lanes> Vector<L> {
    /// Those from `channel` on, of `channels`.
    #[inline(always)]
    pub(super) unsafe fn new(channel: usize, channels: usize) -> Self {
        let count = (channels - channel).min(L::COUNT);
        // SAFETY: above.
        Self { channel, whole: count == L::COUNT, tail: unsafe { L::tail(count) } }
    }

    #[inline(always)]
    pub(super) unsafe fn load(&self, from: *const f32) -> L::Vector {
        // SAFETY: above.
        unsafe { if self.whole { L::load(from) } else { L::load_tail(from, self.tail) } }
    }

    #[inline(always)]
    pub(super) unsafe fn store(&self, to: *mut f32, v: L::Vector) {
        // SAFETY: above.
        unsafe { if self.whole { L::store(to, v) } else { L::store_tail(to, v, self.tail) } }
    }
}

impl Sizes {
    /// Copies the weights of a vector of channels, each behind the one before.
    #[inline(always)]
    pub(super) unsafe fn gather<L: Lanes>(
        &self,
        vector: Vector<L>,
        weight: *const f32,
        mut to: *mut f32,
    ) {
        for i in 0..self.rows.axis.taps {
            for j in 0..self.columns.axis.taps {
                // SAFETY: above.
                unsafe {
                    L::store(to, vector.load(weight.add(self.weight(i, j) + vector.channel)));
                    to = to.add(L::COUNT);
                }
            }
        }
    }
}

/// Memory of a window: what leaves room for other things in a second-level cache.
#[repr(align(64))]
struct WindowMemory([MaybeUninit<f32>; 1 << 15]);

/// What a group of vectors of channels meets of a picture. For each vector there are the weights (or their gradient),
/// and behind them as many lines as one line of pixels meets. The next line takes the place of one that is not met
/// any more.
#[derive(Clone, Copy)]
pub(super) struct Window {
    pub(super) start: *mut f32,
    /// Numbers from one vector of channels to the next, and where the first line begins.
    pub(super) by_vector: usize,
    pub(super) lines: usize,
    /// How many lines there are, and how many vectors in each.
    pub(super) height: usize,
    pub(super) width: usize,
}

/// A line of pixels, or a strip of it, to be computed.
pub(super) struct Line<'a, L: Lanes> {
    pub(super) sizes: &'a Sizes,
    pub(super) window: Window,
    pub(super) vector: Vector<L>,
    pub(super) row: usize,
    pub(super) pixels: Range<usize>,
    /// The lines of the kernel that lie on the picture.
    pub(super) met: Range<usize>,
    /// Which line of the window is the first one.
    pub(super) first: usize,
}

impl<L: Lanes> Line<'_, L> {
    /// What pixel `column` meets with the first element of line `i` of the kernel.
    #[inline(always)]
    pub(super) unsafe fn place(&self, i: usize, column: usize) -> *const f32 {
        let Sizes { rows, columns, .. } = self.sizes;
        let line = self.first + i * rows.by_tap;
        let line = if line < self.window.height { line } else { line - self.window.height };
        let column = (column - self.pixels.start) * columns.by_pixel;
        let place = self.window.lines + (line * self.window.width + column) * L::COUNT;
        // SAFETY: above.
        unsafe { self.window.start.add(place) }
    }

    /// The weights of line `i` of the kernel.
    #[inline(always)]
    pub(super) unsafe fn weights(&self, i: usize) -> *mut f32 {
        // SAFETY: above.
        unsafe { self.window.start.add(i * self.sizes.columns.axis.taps * L::COUNT) }
    }

    /// Where pixel `column` stands in the picture that is written.
    #[inline(always)]
    pub(super) fn pixel(&self, column: usize) -> usize {
        let Sizes { channels, rows, columns, width, .. } = *self.sizes;
        let row = rows.axis.first + self.row * rows.axis.step;
        let column = columns.axis.first + column * columns.axis.step;
        (row * width + column) * channels + self.vector.channel
    }
}

/// What is done with a picture.
pub(super) trait Work {
    /// Its sizes, and the picture that is read.
    fn read(&self) -> (&Sizes, *const f32);
    /// Begins with the weights of a vector of channels.
    unsafe fn begin<L: Lanes>(&self, sizes: &Sizes, vector: Vector<L>, weights: *mut f32);
    /// Computes a line of pixels; those of part `part` of the kernel.
    unsafe fn line<L: Lanes>(&self, part: usize, line: &Line<'_, L>);
    /// Ends with the weights of a vector of channels.
    unsafe fn end<L: Lanes>(&self, sizes: &Sizes, vector: Vector<L>, weights: *const f32);
}

/// Leads `work` over the picture.
#[inline(always)]
pub(super) unsafe fn run<L: Lanes>(work: &impl Work) {
    let mut memory = WindowMemory([const { MaybeUninit::uninit() }; _]);
    let capacity = memory.0.len() / L::COUNT;
    let (sizes, x) = work.read();
    for (part, sizes) in sizes.parts(capacity).enumerate() {
        let strip = sizes.strip(capacity);
        let window = Window {
            start: memory.0.as_mut_ptr().cast(),
            by_vector: sizes.window(strip) * L::COUNT,
            lines: sizes.taps() * L::COUNT,
            height: sizes.rows.reach(1),
            width: sizes.columns.reach(strip),
        };
        let group = capacity / sizes.window(strip) * L::COUNT;
        for first in (0..sizes.channels).step_by(group) {
            let channels = first..sizes.channels.min(first + group);
            let group = Group { part, sizes: &sizes, x, window, channels };
            // SAFETY: above.
            unsafe { group.run::<L>(work, strip) };
        }
    }
}

/// Channels for which a window has room.
struct Group<'a> {
    part: usize,
    sizes: &'a Sizes,
    x: *const f32,
    window: Window,
    channels: Range<usize>,
}

impl Group<'_> {
    #[inline(always)]
    unsafe fn run<L: Lanes>(&self, work: &impl Work, strip: usize) {
        let pixels = self.sizes.columns.axis.pixels;
        // SAFETY: above.
        unsafe {
            for v in 0..self.channels.len().div_ceil(L::COUNT) {
                let (vector, window) = self.vector::<L>(v);
                work.begin(self.sizes, vector, window.start);
            }
            for first in (0..pixels).step_by(strip) {
                self.run_strip::<L>(work, first..pixels.min(first + strip));
            }
            for v in 0..self.channels.len().div_ceil(L::COUNT) {
                let (vector, window) = self.vector::<L>(v);
                work.end(self.sizes, vector, window.start);
            }
        }
    }

    /// One vector of the channels, and its part of the window.
    #[inline(always)]
    unsafe fn vector<L: Lanes>(&self, v: usize) -> (Vector<L>, Window) {
        // SAFETY: above.
        unsafe {
            let start = self.window.start.add(v * self.window.by_vector);
            let vector = Vector::new(self.channels.start + v * L::COUNT, self.channels.end);
            (vector, Window { start, ..self.window })
        }
    }

    /// All lines of `pixels`.
    #[inline(always)]
    unsafe fn run_strip<L: Lanes>(&self, work: &impl Work, pixels: Range<usize>) {
        let Self { part, sizes, window, .. } = *self;
        let rows = sizes.rows;
        // Copied up to here, of the lines that the window would have if it were endless.
        let mut copied = 0;
        for row in 0..rows.axis.pixels {
            let first = row * rows.by_pixel;
            let on_picture = rows.lines(window.height).met(row);
            // SAFETY: above.
            unsafe {
                for line in on_picture.start.max(copied.max(first) - first)..on_picture.end {
                    let to =
                        window.lines + (first + line) % window.height * window.width * L::COUNT;
                    let line = rows.lines(window.height).place(row, line);
                    self.copy::<L>(line, pixels.start, to);
                }
                copied = first + window.height;
                let (met, first) = (rows.axis.met(row), first % window.height);
                for v in 0..self.channels.len().div_ceil(L::COUNT) {
                    let (vector, window) = self.vector::<L>(v);
                    let (pixels, met) = (pixels.clone(), met.clone());
                    work.line(part, &Line { sizes, window, vector, row, pixels, met, first });
                }
            }
        }
    }

    /// Copies what pixels from `pixel` on meet of a line of the picture to place `to` in the part of each vector,
    /// with zeros where they hang over its ends.
    #[inline(always)]
    unsafe fn copy<L: Lanes>(&self, line: usize, pixel: usize, to: usize) {
        let Self { sizes, window, ref channels, .. } = *self;
        let columns = sizes.columns.lines(window.width);
        let met = columns.met(pixel);
        let (whole, cut) = (channels.len() / L::COUNT, channels.len() % L::COUNT);
        // SAFETY: above.
        unsafe {
            let tail = L::tail(cut);
            let to = window.start.add(to);
            for column in (0..met.start).chain(met.end..columns.taps) {
                for v in 0..channels.len().div_ceil(L::COUNT) {
                    L::store(to.add(v * window.by_vector + column * L::COUNT), L::zero());
                }
            }
            for column in met {
                let pixel = line * columns.size + columns.place(pixel, column);
                let mut from = self.x.add(pixel * sizes.channels + channels.start);
                let mut to = to.add(column * L::COUNT);
                for _ in 0..whole {
                    L::store(to, L::load(from));
                    to = to.wrapping_add(window.by_vector);
                    from = from.wrapping_add(L::COUNT);
                }
                if cut > 0 {
                    L::store(to, L::load_tail(from, tail));
                }
            }
        }
    }
}
