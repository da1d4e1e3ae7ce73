//! [`Window`]: what a line of pixels meets of a picture, vector by vector of channels.

use super::sizes::Sizes;
use crate::kernels::axis::Axis;
use crate::kernels::isa::Lanes;
use core::mem::MaybeUninit;
use core::ops::Range;

/// A vector of channels.
#[derive(Clone, Copy)]
pub(super) struct Vector<L: Lanes> {
    /// The first one.
    pub(super) channel: usize,
    /// Whether there are as many as there are lanes, and which ones are used.
    pub(super) whole: bool,
    tail: L::Tail,
}

// SAFETY of all functions below: `check` has found the lengths of the slices, and of `y`, which nobody else has.
// `Axis::met` keeps what is read on the picture, channels from `channel` on are as many as the tail says, and what is
// read of a window was written before.
impl<L: Lanes> Vector<L> {
    /// Those from `channel` on, of `channels`.
    #[inline(always)]
    unsafe fn new(channel: usize, channels: usize) -> Self {
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

/// Memory of a window: what leaves room for other things in a second-level cache.
#[repr(align(64))]
pub(super) struct WindowMemory(pub(super) [MaybeUninit<f32>; 1 << 15]);

/// What a group of vectors of channels meets. For each vector there are the weights, and behind them as many lines as
/// the kernel has. The next line takes the place of one that is not met any more.
pub(super) struct Window<'a> {
    sizes: &'a Sizes,
    channels: Range<usize>,
    start: *mut f32,
    /// Numbers from one vector of channels to the next, and vectors in a line.
    by_vector: usize,
    width: usize,
}

impl<'a> Window<'a> {
    /// For the channels from `first` on for which there is room, and strips of `pixels`.
    pub(super) fn new<L: Lanes>(
        sizes: &'a Sizes,
        first: usize,
        pixels: usize,
        memory: &mut WindowMemory,
    ) -> Self {
        let capacity = memory.0.len() / L::COUNT;
        let vectors = vectors(sizes, pixels);
        let channels = first..sizes.channels.min(first + capacity / vectors * L::COUNT);
        let (start, by_vector) = (memory.0.as_mut_ptr().cast(), vectors * L::COUNT);
        Self { sizes, channels, start, by_vector, width: pixels + sizes.columns.taps - 1 }
    }

    /// The first channel for which there is no room.
    pub(super) fn end(&self) -> usize {
        self.channels.end
    }

    /// How many vectors of channels there are.
    pub(super) fn vectors<L: Lanes>(&self) -> usize {
        self.channels.len().div_ceil(L::COUNT)
    }

    #[inline(always)]
    pub(super) unsafe fn vector<L: Lanes>(&self, v: usize) -> Vector<L> {
        // SAFETY: above.
        unsafe { Vector::new(self.channels.start + v * L::COUNT, self.channels.end) }
    }

    /// The weights of line `i` of the kernel, for vector `v`.
    #[inline(always)]
    pub(super) unsafe fn weights<L: Lanes>(&self, v: usize, i: usize) -> *mut f32 {
        // SAFETY: above.
        unsafe { self.start.add(v * self.by_vector + i * self.sizes.columns.taps * L::COUNT) }
    }

    /// What pixel `column` of a strip meets of line `line` of the window, for vector `v`.
    #[inline(always)]
    pub(super) unsafe fn place<L: Lanes>(&self, v: usize, line: usize, column: usize) -> *mut f32 {
        let Sizes { rows, columns, .. } = self.sizes;
        let weights = rows.taps * columns.taps;
        let place = weights + line * self.width + column;
        // SAFETY: above.
        unsafe { self.start.add(v * self.by_vector + place * L::COUNT) }
    }

    /// Copies the weights.
    #[inline(always)]
    pub(super) unsafe fn copy_weights<L: Lanes>(&self, weight: *const f32) {
        let Sizes { rows, columns, .. } = self.sizes;
        for v in 0..self.vectors::<L>() {
            // SAFETY: above.
            unsafe {
                let vector = self.vector::<L>(v);
                for i in 0..rows.taps {
                    for j in 0..columns.taps {
                        let from = weight.add(self.sizes.weight(i, j) + vector.channel);
                        L::store(self.weights::<L>(v, i).add(j * L::COUNT), vector.load(from));
                    }
                }
            }
        }
    }

    /// Copies what pixels from `pixel` on meet of line `from` of the picture to line `line`, with zeros where they hang
    /// over its ends.
    #[inline(always)]
    pub(super) unsafe fn copy<L: Lanes>(
        &self,
        x: *const f32,
        from: usize,
        pixel: usize,
        line: usize,
    ) {
        let columns = Axis { taps: self.width, ..self.sizes.columns };
        let met = columns.met(pixel);
        let (whole, cut) = (self.channels.len() / L::COUNT, self.channels.len() % L::COUNT);
        // SAFETY: above.
        unsafe {
            let tail = L::tail(cut);
            for column in (0..met.start).chain(met.end..columns.taps) {
                for v in 0..self.vectors::<L>() {
                    L::store(self.place::<L>(v, line, column), L::zero());
                }
            }
            let to = self.place::<L>(0, line, 0);
            for column in met {
                let pixel = from * columns.size + columns.place(pixel, column);
                let mut from = x.add(pixel * self.sizes.channels + self.channels.start);
                let mut to = to.add(column * L::COUNT);
                for _ in 0..whole {
                    L::store(to, L::load(from));
                    to = to.wrapping_add(self.by_vector);
                    from = from.wrapping_add(L::COUNT);
                }
                if cut > 0 {
                    L::store(to, L::load_tail(from, tail));
                }
            }
        }
    }
}

/// How many vectors a window has for each vector of channels, where strips have `pixels`: an odd number, so that
/// not all of them go to the same places in a cache.
pub(super) fn vectors(sizes: &Sizes, pixels: usize) -> usize {
    let Sizes { rows, columns, .. } = sizes;
    (rows.taps * columns.taps + rows.taps * (pixels + columns.taps - 1)) | 1
}
