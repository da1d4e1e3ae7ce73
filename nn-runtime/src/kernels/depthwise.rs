//! Depthwise convolutions: each channel has a kernel of its own and meets no other channel.
//!
//! Channels are the lanes of vectors. A kernel goes line by line over the picture, so that the lines it
//! reads are still in cache when it reads them again. With a stride of 1 it slides: a number of the
//! picture that was loaded meets all elements of a line of the kernel. Where the kernel hangs over the
//! edge its elements there are left out, and nothing is copied.

#![expect(clippy::needless_range_loop, reason = "indices below constants: what becomes registers")]

use super::Geometry;
use super::axis::Axis;
#[cfg(target_arch = "x86_64")]
use super::isa::{Avx2, Avx512};
use super::isa::{Baseline, Isa, Kernel, Lanes};
use super::product::Onto;
use std::ops::Range;

/// Whether each output channel reads one input channel, and no other does.
#[inline]
pub(super) const fn is_depthwise(g: &Geometry) -> bool {
    g.group_channels() == 1 && g.group_filters() == 1
}

/// Whether there is a fast way to the gradient of the weights: those of kernels that slide.
pub(super) fn slides(g: &Geometry) -> bool {
    is_depthwise(g) && matches!(sliding(&Axis::forward(g, 1)), 3 | 5 | 7)
}

/// The size of a kernel that slides; 0 for others.
fn sliding(axis: &Axis) -> usize {
    if [axis.by_pixel, axis.by_tap, axis.tap_step] == [1; 3] { axis.taps } else { 0 }
}

/// The sizes of one picture.
#[derive(Clone, Copy)]
struct Sizes {
    channels: usize,
    rows: Axis,
    columns: Axis,
    /// Numbers of pixels in a line of the picture that is written, and of elements in one of the kernel.
    width: usize,
    kernel_width: usize,
}

impl Sizes {
    /// # Panics
    /// When the lengths are not those of a depthwise convolution, so that a kernel would read or write
    /// beyond an end.
    fn checked(g: &Geometry, x: &[f32], weight: &[f32], y: &[f32]) -> Self {
        assert!(is_depthwise(g), "as many groups as channels and filters");
        assert_eq!(weight.len(), g.weight_len(), "a kernel for each channel");
        let pictures = x.len() / g.input_len();
        assert_eq!(x.len(), pictures * g.input_len(), "whole pictures");
        assert_eq!(y.len(), pictures * g.output_len(), "as many pictures");
        Self {
            channels: g.channels,
            rows: Axis::forward(g, 0),
            columns: Axis::forward(g, 1),
            width: g.output[1],
            kernel_width: g.kernel[1],
        }
    }
}

/// The convolution of each picture.
///
/// # Panics
/// When the lengths do not fit together, or the machine does not have the instructions.
pub(super) fn forward(
    isa: Isa,
    g: &Geometry,
    x: &[f32],
    weight: &[f32],
    bias: &[f32],
    y: &mut [f32],
) {
    let sizes = Sizes::checked(g, x, weight, y);
    assert!(bias.is_empty() || bias.len() == g.filters, "a bias for each channel, or none");
    for (x, y) in x.chunks_exact(g.input_len()).zip(y.chunks_exact_mut(g.output_len())) {
        run(isa, &Forward { sizes, x, weight, bias, y: y.as_mut_ptr() });
    }
}

/// The gradient of the input of [`forward`], of the pixels of `axes`, with the kernel turned around.
///
/// # Panics
/// As [`forward`].
pub(super) fn d_x(
    isa: Isa,
    g: &Geometry,
    [rows, columns]: [Axis; 2],
    d_y: &[f32],
    turned: &[f32],
    d_x: &mut [f32],
) {
    let sizes = Sizes { rows, columns, width: g.input[1], ..Sizes::checked(g, d_x, turned, d_y) };
    for (d_y, d_x) in d_y.chunks_exact(g.output_len()).zip(d_x.chunks_exact_mut(g.input_len())) {
        run(isa, &Forward { sizes, x: d_y, weight: turned, bias: &[], y: d_x.as_mut_ptr() });
    }
}

/// The gradient of the weights of [`forward`], where the kernel [`slides`].
///
/// # Panics
/// As [`forward`].
pub(super) fn d_weight(
    isa: Isa,
    g: &Geometry,
    onto: Onto,
    x: &[f32],
    d_y: &[f32],
    d_weight: &mut [f32],
) {
    let sizes = Sizes::checked(g, x, d_weight, d_y);
    if onto == Onto::Nothing {
        d_weight.fill(0.0);
    }
    for (x, d_y) in x.chunks_exact(g.input_len()).zip(d_y.chunks_exact(g.output_len())) {
        run(isa, &DWeight { sizes, x, d_y, d_weight: d_weight.as_mut_ptr() });
    }
}

fn run(isa: Isa, kernel: &impl Kernel) {
    assert!(isa.is_available());
    // SAFETY: the instructions are available; lengths are those that `Sizes::checked` has found.
    unsafe {
        match isa {
            Isa::Baseline => Baseline::run(kernel),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2 => Avx2::run(kernel),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512 => Avx512::run(kernel),
            #[cfg(not(target_arch = "x86_64"))]
            _ => unreachable!("not available here"),
        }
    }
}

/// One picture forward.
struct Forward<'a> {
    sizes: Sizes,
    x: &'a [f32],
    weight: &'a [f32],
    bias: &'a [f32],
    y: *mut f32,
}

/// Neighbouring output pixels of a line.
struct Pixels {
    row: usize,
    /// The lines of the kernel that lie on the picture.
    met_rows: Range<usize>,
    /// The first pixel.
    column: usize,
    /// Which elements of a line of the kernel they meet.
    met: Range<usize>,
}

/// A vector of channels.
struct Vector<L: Lanes> {
    /// The first one.
    channel: usize,
    /// How many there are.
    tail: L::Tail,
}

impl<L: Lanes> Vector<L> {
    /// Those from `channel` on, of `channels`.
    ///
    /// # Safety
    /// The instructions of `L` must be there.
    #[inline(always)]
    unsafe fn new(channel: usize, channels: usize) -> Self {
        // SAFETY: the caller's.
        Self { channel, tail: unsafe { L::tail((channels - channel).min(L::COUNT)) } }
    }
}

// SAFETY of all functions below: `Sizes::checked` has found the lengths of the slices, and of `y` and
// `d_weight`, which nobody else has. `Axis::met` and `Axis::inner` keep what is read on the picture, and
// channels from `channel` on are as many as the tail says.
impl Kernel for Forward<'_> {
    #[inline(always)]
    unsafe fn run<L: Lanes>(&self) {
        for row in 0..self.sizes.rows.pixels {
            // SAFETY: above.
            unsafe {
                if L::CHEAP_TAIL {
                    self.line::<L, true>(row);
                } else if self.sizes.channels >= L::COUNT {
                    self.line::<L, false>(row);
                } else {
                    self.tiles::<L, 0, true>(row);
                }
            }
        }
    }
}

impl Forward<'_> {
    /// All pixels of a line, by the kind of kernel.
    #[inline(always)]
    unsafe fn line<L: Lanes, const EDGE: bool>(&self, row: usize) {
        // SAFETY: above.
        unsafe {
            match sliding(&self.sizes.columns) {
                3 => self.tiles::<L, 3, EDGE>(row),
                5 => self.tiles::<L, 5, EDGE>(row),
                7 => self.tiles::<L, 7, EDGE>(row),
                _ => self.tiles::<L, 0, EDGE>(row),
            }
        }
    }

    /// All pixels of a line, with a kernel that slides and is `K` wide, or any for `K == 0`.
    ///
    /// Each call of [`Self::channels`] is a good part of the time that this crate takes to compile: there
    /// are two sizes of tiles, and what these do not cover goes pixel by pixel.
    #[inline(always)]
    unsafe fn tiles<L: Lanes, const K: usize, const EDGE: bool>(&self, row: usize) {
        let Sizes { rows, columns, .. } = self.sizes;
        // Tiles that slide look themselves what lies on the picture.
        let inner = if K > 0 { 0..columns.pixels } else { columns.inner() };
        let inner = if inner.len() < 4 { 0..0 } else { inner };
        let pixels = |column, met| Pixels { row, met_rows: rows.met(row), column, met };
        let some = |column| pixels(column, 0..columns.taps);
        // SAFETY: above.
        unsafe {
            for column in (0..inner.start).chain(inner.end..columns.pixels) {
                self.channels::<L, 1, 0, EDGE>(&pixels(column, columns.met(column)));
            }
            // The last tile may begin inside of the one before: it writes the same numbers again.
            if inner.len() < 8 {
                for column in inner.clone().step_by(4) {
                    self.channels::<L, 4, K, EDGE>(&some(column.min(inner.end - 4)));
                }
            } else {
                for column in inner.clone().step_by(8) {
                    self.channels::<L, 8, K, EDGE>(&some(column.min(inner.end - 8)));
                }
            }
        }
    }

    /// All channels of `M` neighbouring pixels, so that memory is read as it lies. Without `EDGE` there is at
    /// least a vector of them, and the last one may begin inside of the one before.
    #[inline(always)]
    unsafe fn channels<L: Lanes, const M: usize, const K: usize, const EDGE: bool>(
        &self,
        pixels: &Pixels,
    ) {
        let channels = self.sizes.channels;
        let on_it = self.sizes.columns.on_picture(pixels.column);
        for channel in (0..channels).step_by(L::COUNT) {
            let channel = if EDGE { channel } else { channel.min(channels - L::COUNT) };
            // SAFETY: above.
            unsafe {
                let vector = Vector::<L>::new(channel, channels);
                self.tile::<L, M, K, EDGE>(pixels, on_it.clone(), &vector);
            }
        }
    }

    /// Some channels of `M` neighbouring pixels, with the elements of the kernel's lines that these meet, or,
    /// where it slides, with those that lie on the picture.
    #[inline(always)]
    unsafe fn tile<L: Lanes, const M: usize, const K: usize, const EDGE: bool>(
        &self,
        pixels: &Pixels,
        on_it: Range<usize>,
        vector: &Vector<L>,
    ) {
        let Sizes { channels, rows, columns, width, kernel_width } = self.sizes;
        let Pixels { row, column, .. } = *pixels;
        let (c, tail) = (vector.channel, vector.tail);
        // SAFETY: above.
        unsafe {
            let begin = match self.bias {
                [] => L::zero(),
                bias => load::<L, EDGE>(bias.as_ptr().add(c), tail),
            };
            let mut sums = [begin; M];
            for i in pixels.met_rows.clone() {
                let x = rows.place(row, i) * columns.size * channels + c;
                let x = self.x.as_ptr().add(x);
                let tap = (rows.tap + i * rows.tap_step) * kernel_width + columns.tap;
                let weight = self.weight.as_ptr().add(tap * channels + c);
                if K > 0 {
                    // May begin before the picture.
                    let x = x.wrapping_add(columns.place(column, 0).wrapping_mul(channels));
                    let mut weights = [L::zero(); K];
                    for j in 0..K {
                        weights[j] = load::<L, EDGE>(weight.add(j * channels), tail);
                    }
                    for p in 0..M + K - 1 {
                        if on_it.contains(&p) {
                            let x = load::<L, EDGE>(x.wrapping_add(p * channels), tail);
                            for j in 0..K {
                                if p >= j && p - j < M {
                                    sums[p - j] = L::mul_add(x, weights[j], sums[p - j]);
                                }
                            }
                        }
                    }
                } else {
                    for j in pixels.met.clone() {
                        let x = x.add(columns.place(column, j) * channels);
                        let weight = weight.add(j * columns.tap_step * channels);
                        let weight = load::<L, EDGE>(weight, tail);
                        for m in 0..M {
                            let x = x.add(m * columns.by_pixel * channels);
                            sums[m] = L::mul_add(load::<L, EDGE>(x, tail), weight, sums[m]);
                        }
                    }
                }
            }
            let row = rows.first + row * rows.step;
            let column = columns.first + column * columns.step;
            let y = self.y.add((row * width + column) * channels + c);
            for m in 0..M {
                store::<L, EDGE>(y.add(m * columns.step * channels), sums[m], tail);
            }
        }
    }
}

/// The gradient of the weights from one picture, added to what there is.
struct DWeight<'a> {
    sizes: Sizes,
    x: &'a [f32],
    d_y: &'a [f32],
    d_weight: *mut f32,
}

impl Kernel for DWeight<'_> {
    #[inline(always)]
    unsafe fn run<L: Lanes>(&self) {
        let channels = self.sizes.channels;
        for row in 0..self.sizes.rows.pixels {
            for channel in (0..channels).step_by(L::COUNT) {
                // SAFETY: above.
                unsafe {
                    let vector = Vector::<L>::new(channel, channels);
                    if L::CHEAP_TAIL || channels - channel < L::COUNT {
                        self.lines::<L, true>(row, &vector);
                    } else {
                        self.lines::<L, false>(row, &vector);
                    }
                }
            }
        }
    }
}

impl DWeight<'_> {
    /// What a line of output pixels adds, by the width of the kernel.
    #[inline(always)]
    unsafe fn lines<L: Lanes, const EDGE: bool>(&self, row: usize, vector: &Vector<L>) {
        // SAFETY: above.
        unsafe {
            match sliding(&self.sizes.columns) {
                3 => self.line::<L, 3, EDGE>(row, vector),
                5 => self.line::<L, 5, EDGE>(row, vector),
                7 => self.line::<L, 7, EDGE>(row, vector),
                _ => unreachable!("a kernel that slides"),
            }
        }
    }

    /// What a line of output pixels adds, for each line of a kernel that is `K` wide.
    #[inline(always)]
    unsafe fn line<L: Lanes, const K: usize, const EDGE: bool>(
        &self,
        row: usize,
        vector: &Vector<L>,
    ) {
        let Sizes { channels, rows, columns, width, .. } = self.sizes;
        let (c, tail, inner) = (vector.channel, vector.tail, columns.inner());
        // SAFETY: above.
        unsafe {
            let d_y = self.d_y.as_ptr().add(row * width * channels + c);
            for i in rows.met(row) {
                let x = rows.place(row, i) * columns.size * channels + c;
                let x = self.x.as_ptr().add(x);
                let d_weight = self.d_weight.add(i * K * channels + c);
                let mut sums = [L::zero(); K];
                for j in 0..K {
                    sums[j] = load::<L, EDGE>(d_weight.add(j * channels), tail);
                }
                let tiled = inner.start..inner.start + inner.len() / 4 * 4;
                for w in (0..tiled.start).chain(tiled.end..columns.pixels) {
                    let d_y = load::<L, EDGE>(d_y.add(w * channels), tail);
                    let met = columns.met(w);
                    for j in 0..K {
                        if met.contains(&j) {
                            let x = x.add(columns.place(w, j) * channels);
                            sums[j] = L::mul_add(load::<L, EDGE>(x, tail), d_y, sums[j]);
                        }
                    }
                }
                for w in tiled.step_by(4) {
                    Self::tile::<L, 4, K, EDGE>(self.sizes, x, d_y, w, tail, &mut sums);
                }
                for j in 0..K {
                    store::<L, EDGE>(d_weight.add(j * channels), sums[j], tail);
                }
            }
        }
    }

    /// `M` neighbouring pixels from `w` on, under which all of the kernel lies on the picture.
    #[inline(always)]
    unsafe fn tile<L: Lanes, const M: usize, const K: usize, const EDGE: bool>(
        sizes: Sizes,
        x: *const f32,
        d_y: *const f32,
        w: usize,
        tail: L::Tail,
        sums: &mut [L::Vector; K],
    ) {
        let Sizes { channels, columns, .. } = sizes;
        // SAFETY: above.
        unsafe {
            let (x, d_y) = (x.add(columns.place(w, 0) * channels), d_y.add(w * channels));
            let mut gradients = [L::zero(); M];
            for m in 0..M {
                gradients[m] = load::<L, EDGE>(d_y.add(m * channels), tail);
            }
            for p in 0..M + K - 1 {
                let x = load::<L, EDGE>(x.add(p * channels), tail);
                for j in 0..K {
                    if p >= j && p - j < M {
                        sums[j] = L::mul_add(x, gradients[p - j], sums[j]);
                    }
                }
            }
        }
    }
}

/// A vector, or the first lanes of one.
#[inline(always)]
unsafe fn load<L: Lanes, const EDGE: bool>(from: *const f32, tail: L::Tail) -> L::Vector {
    // SAFETY: the caller's.
    unsafe { if EDGE { L::load_tail(from, tail) } else { L::load(from) } }
}

/// The same for writing.
#[inline(always)]
unsafe fn store<L: Lanes, const EDGE: bool>(to: *mut f32, v: L::Vector, tail: L::Tail) {
    // SAFETY: the caller's.
    unsafe { if EDGE { L::store_tail(to, v, tail) } else { L::store(to, v) } }
}
