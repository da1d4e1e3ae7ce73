//! [`Window`]: the part of an image that a line of pixels meets, vector by vector of channels.

use super::sizes::Sizes;
use crate::kernels::axis::Axis;
use crate::kernels::epilogue::Epilogue;
use crate::kernels::isa::Lanes;
use crate::system::KernelMemory;
use core::ops::Range;

/// Elements of a window of two or more vectors of channels: 32 kB, so that most of it stays in a first-level cache. With
/// 128 kB, an image of 14x14x384 took 1.2 times as long (with a kernel of three columns, which had a window then).
pub(super) const ELEMENTS: usize =
    if KernelMemory::LEN < 1 << 13 { KernelMemory::LEN } else { 1 << 13 };

/// A vector of channels.
#[derive(Clone, Copy)]
pub(super) struct Vector<L: Lanes> {
    lanes: L,
    /// The first channel.
    pub(super) channel: usize,
    /// Whether all lanes are used.
    pub(super) whole: bool,
    tail: L::Tail,
}

impl<L: Lanes> Vector<L> {
    /// The channels from `channel` on, of `channels`.
    #[inline(always)]
    fn new(lanes: L, channel: usize, channels: usize) -> Self {
        let count = (channels - channel).min(L::COUNT);
        Self { lanes, channel, whole: count == L::COUNT, tail: lanes.tail(count) }
    }

    /// # Safety
    /// The used lanes must be readable.
    #[inline(always)]
    pub(super) unsafe fn load(&self, from: *const f32) -> L::Vector {
        // SAFETY: the used lanes are readable.
        unsafe {
            if self.whole { self.lanes.load(from) } else { self.lanes.load_tail(from, self.tail) }
        }
    }

    /// Applies the epilogue to a vector of each of `M` pixels, whose elements are at `pixels` in the output.
    ///
    /// # Safety
    /// As for [`Epilogue::apply`].
    #[inline(always)]
    pub(super) unsafe fn finish<const M: usize>(
        &self,
        epilogue: &Epilogue<'_>,
        pixels: [usize; M],
        sums: &mut [L::Vector; M],
    ) {
        let mut rows = sums.map(|sum| [sum]);
        let place = (self.channel, pixels);
        // SAFETY: by the contract of this function; `tail` has the used lanes.
        unsafe {
            if self.whole {
                epilogue.apply::<L, M, 1, false>(self.lanes, place, &mut rows, self.tail);
            } else {
                epilogue.apply::<L, M, 1, true>(self.lanes, place, &mut rows, self.tail);
            }
        }
        *sums = rows.map(|[sum]| sum);
    }

    /// # Safety
    /// The used lanes must be writable.
    #[inline(always)]
    pub(super) unsafe fn store(&self, to: *mut f32, v: L::Vector) {
        // SAFETY: the used lanes are writable.
        unsafe {
            if self.whole {
                self.lanes.store(to, v);
            } else {
                self.lanes.store_tail(to, v, self.tail);
            }
        }
    }
}

/// The lines that a kernel meets, for a group of vectors of channels. For each vector there are the weights, followed
/// by as many lines as the kernel has. The next line overwrites the one that is no longer met.
///
/// `start` is valid for all vectors of the window: [`Window::new`] takes as many channels as there is room for.
pub(super) struct Window<'a> {
    sizes: &'a Sizes,
    channels: Range<usize>,
    pub(super) start: *mut f32,
    /// Elements from one vector of channels to the next.
    by_vector: usize,
    /// Vectors in a line.
    width: usize,
}

impl<'a> Window<'a> {
    /// A window for strips of `pixels`, of the channels from `first` on for which there is room in `capacity` vectors of
    /// `memory`.
    pub(super) fn new<L: Lanes>(
        sizes: &'a Sizes,
        first: usize,
        (pixels, capacity): (usize, usize),
        memory: &mut KernelMemory,
    ) -> Self {
        assert!(capacity * L::COUNT <= KernelMemory::LEN, "room for the vectors");
        let vectors = vectors(sizes, pixels);
        // Room for at least one vector: `strip_len` chooses strips of this length.
        let channels = first..sizes.channels.min(first + capacity / vectors * L::COUNT);
        let (start, by_vector) = (memory.as_mut_ptr(), vectors * L::COUNT);
        Self { sizes, channels, start, by_vector, width: pixels + sizes.columns.taps - 1 }
    }

    /// The first channel for which there is no room.
    pub(super) fn end(&self) -> usize {
        self.channels.end
    }

    /// The number of vectors of channels.
    pub(super) fn vectors<L: Lanes>(&self) -> usize {
        self.channels.len().div_ceil(L::COUNT)
    }

    #[inline(always)]
    pub(super) fn vector<L: Lanes>(&self, lanes: L, v: usize) -> Vector<L> {
        Vector::new(lanes, self.channels.start + v * L::COUNT, self.channels.end)
    }

    /// The offset of the weights of line `i` of the kernel, for vector `v`.
    #[inline(always)]
    pub(super) fn weights<L: Lanes>(&self, v: usize, i: usize) -> usize {
        v * self.by_vector + i * self.sizes.columns.taps * L::COUNT
    }

    /// The offset of what pixel `column` of a strip meets of line `line` of the window, for vector `v`.
    #[inline(always)]
    pub(super) fn pixel<L: Lanes>(&self, v: usize, line: usize, column: usize) -> usize {
        let Sizes { rows, columns, .. } = self.sizes;
        let weights = rows.taps * columns.taps;
        v * self.by_vector + (weights + line * self.width + column) * L::COUNT
    }

    /// Copies the weights.
    ///
    /// # Safety
    /// `weight` must be valid for the weights of all channels.
    #[inline(always)]
    pub(super) unsafe fn copy_weights<L: Lanes>(&self, lanes: L, weight: *const f32) {
        let Sizes { rows, columns, .. } = self.sizes;
        // Reordered so that the weights of a line of the kernel are contiguous vectors; in the layer, kernel elements
        // are as many elements apart as there are channels.
        for v in 0..self.vectors::<L>() {
            let vector = self.vector(lanes, v);
            for i in 0..rows.taps {
                for j in 0..columns.taps {
                    // SAFETY: kernel element `(i, j)` has a weight for each channel of the vector, and the window room
                    // for all weights.
                    unsafe {
                        let from = weight.add(self.sizes.weight(i, j) + vector.channel);
                        let to = self.start.add(self.weights::<L>(v, i) + j * L::COUNT);
                        lanes.store(to, vector.load(from));
                    }
                }
            }
        }
    }

    /// Copies what pixels from `pixel` on meet of line `from` of the image to line `line` of the window, with zeros
    /// beyond the edges of the image.
    ///
    /// # Safety
    /// `x` must be valid for the image, which must have line `from`; `line` must be below the lines of the kernel.
    #[inline(always)]
    pub(super) unsafe fn copy<L: Lanes>(
        &self,
        lanes: L,
        x: *const f32,
        [from, pixel]: [usize; 2],
        line: usize,
    ) {
        // A line of the window is what a kernel as wide as the window would meet.
        let columns = Axis { taps: self.width, ..self.sizes.columns };
        let met = columns.met(pixel);
        let (whole, cut) = (self.channels.len() / L::COUNT, self.channels.len() % L::COUNT);
        let tail = lanes.tail(cut);
        // SAFETY: the window has `width` pixels in each of its lines; `Axis::met` keeps what is read inside of the
        // image, whose pixels have all channels of the window.
        unsafe {
            for column in (0..met.start).chain(met.end..columns.taps) {
                for v in 0..self.vectors::<L>() {
                    lanes.store(self.start.add(self.pixel::<L>(v, line, column)), lanes.zero());
                }
            }
            let to = self.start.add(self.pixel::<L>(0, line, 0));
            for column in met {
                let pixel = from * columns.size + columns.position(pixel, column);
                let mut from = x.add(pixel * self.sizes.channels + self.channels.start);
                let mut to = to.add(column * L::COUNT);
                for _ in 0..whole {
                    lanes.store(to, lanes.load(from));
                    // Reads are contiguous, a pixel's channels; writes go to one window line for each vector. After the
                    // last vector both pointers may be outside, where they are not dereferenced.
                    to = to.wrapping_add(self.by_vector);
                    from = from.wrapping_add(L::COUNT);
                }
                if cut > 0 {
                    lanes.store(to, lanes.load_tail(from, tail));
                }
            }
        }
    }
}

/// The number of vectors of a window for each vector of channels, where strips have `pixels`. An odd number, so that
/// they do not all map to the same sets of a cache.
pub(super) fn vectors(sizes: &Sizes, pixels: usize) -> usize {
    let Sizes { rows, columns, .. } = sizes;
    (rows.taps * columns.taps + rows.taps * (pixels + columns.taps - 1)) | 1
}
