//! Depthwise convolutions: each channel has a kernel of its own and meets no other channel.
//!
//! Channels are the lanes of vectors. The lines of the picture that a kernel meets are copied into a window, with
//! zeros where it hangs over the edge. In the picture neighbouring pixels lie as far from each other as there are
//! channels, and a few of them fill all places in a first-level cache that they can go to; in the window the
//! pixels of one vector of channels lie side by side. Common kernels that go on by one pixel load a number once for all
//! elements of a line; any other kernel, stride and dilation is the same plain loop.

#![expect(clippy::needless_range_loop, reason = "indices below constants: what becomes registers")]

use super::Geometry;
use super::axis::Axis;
use super::conv2d::Taps;
use super::isa::{Isa, Kernel, Lanes};
use super::product::Onto;
use std::mem::MaybeUninit;
use std::ops::Range;

/// Whether each output channel reads one input channel, and no other does.
#[inline]
pub(super) const fn is_depthwise(g: &Geometry) -> bool {
    g.group_channels() == 1 && g.group_filters() == 1
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
    check(g, x.len(), weight.len(), y.len());
    assert!(bias.is_empty() || bias.len() == g.filters, "a bias for each channel, or none");
    let axes = [0, 1].map(|axis| Axis::forward(g, axis));
    let sizes = Sizes::new(g, axes, g.output[1]);
    for (x, y) in x.chunks_exact(g.input_len()).zip(y.chunks_exact_mut(g.output_len())) {
        // SAFETY: checked above.
        unsafe { isa.run(&Forward { sizes, x, weight, bias, y: y.as_mut_ptr() }) };
    }
}

/// The gradient of the input of [`forward`], of the pixels of `axes`, with the kernel turned around.
///
/// # Panics
/// As [`forward`].
pub(super) fn d_x(
    isa: Isa,
    g: &Geometry,
    axes: [Axis; 2],
    d_y: &[f32],
    turned: &[f32],
    d_x: &mut [f32],
) {
    check(g, d_x.len(), turned.len(), d_y.len());
    let sizes = Sizes::new(g, axes, g.input[1]);
    for (d_y, d_x) in d_y.chunks_exact(g.output_len()).zip(d_x.chunks_exact_mut(g.input_len())) {
        let y = d_x.as_mut_ptr();
        // SAFETY: checked above.
        unsafe { isa.run(&Forward { sizes, x: d_y, weight: turned, bias: &[], y }) };
    }
}

/// The gradient of the weights of [`forward`], or of those of one element of the kernel.
///
/// # Panics
/// As [`forward`].
pub(super) fn d_weight(
    isa: Isa,
    g: &Geometry,
    some: Option<Taps>,
    onto: Onto,
    x: &[f32],
    d_y: &[f32],
    d_weight: &mut [f32],
) {
    let mut axes = [0, 1].map(|axis| Axis::forward(g, axis));
    let mut len = d_weight.len();
    if let Some(Taps { tap, .. }) = some {
        let [rows, columns] = axes;
        let (i, j) = (tap / g.kernel[1], tap % g.kernel[1]);
        // Their place is the first of `d_weight`.
        let first = |axis: Axis| Axis { tap: 0, ..axis };
        axes = [first(rows.of_taps(i..i + 1)), first(columns.of_taps(j..j + 1))];
        assert_eq!(len, g.filters, "those of one element of the kernel");
        len = g.weight_len();
    }
    check(g, x.len(), len, d_y.len());
    if onto == Onto::Nothing {
        d_weight.fill(0.0);
    }
    let sizes = Sizes::new(g, axes, g.output[1]);
    for (x, d_y) in x.chunks_exact(g.input_len()).zip(d_y.chunks_exact(g.output_len())) {
        // SAFETY: checked above.
        unsafe { isa.run(&DWeight { sizes, x, d_y, d_weight: d_weight.as_mut_ptr() }) };
    }
}

/// # Panics
/// When lengths are not those of a depthwise convolution, so that a kernel would read or write beyond an end.
fn check(g: &Geometry, x: usize, weight: usize, y: usize) {
    assert!(is_depthwise(g), "as many groups as channels and filters");
    assert_eq!(weight, g.weight_len(), "a kernel for each channel");
    let pictures = x / g.input_len();
    assert_eq!(x, pictures * g.input_len(), "whole pictures");
    assert_eq!(y, pictures * g.output_len(), "as many pictures");
}

/// The sizes of one picture.
#[derive(Clone, Copy)]
struct Sizes {
    channels: usize,
    rows: Side,
    columns: Side,
    /// Pixels in a line of the picture that is written, and elements in one of the kernel.
    width: usize,
    kernel_width: usize,
}

impl Sizes {
    fn new(g: &Geometry, [rows, columns]: [Axis; 2], width: usize) -> Self {
        let (rows, columns) = (Side::new(rows), Side::new(columns));
        Self { channels: g.channels, rows, columns, width, kernel_width: g.kernel[1] }
    }

    /// The elements of the kernel.
    fn taps(&self) -> usize {
        self.rows.axis.taps * self.columns.axis.taps
    }

    /// Where element `(i, j)` of the kernel stands in the weights.
    #[inline(always)]
    fn weight(&self, i: usize, j: usize) -> usize {
        let (rows, columns) = (self.rows.axis, self.columns.axis);
        let line = (rows.tap + i * rows.tap_step) * self.kernel_width;
        (line + columns.tap + j * columns.tap_step) * self.channels
    }

    /// How many vectors a window has for each vector of channels, where strips have `pixels`: an odd number, so
    /// that not all of them go to the same places in a cache.
    fn window(&self, pixels: usize) -> usize {
        (self.taps() + self.rows.reach(1) * self.columns.reach(pixels)) | 1
    }

    /// As many pixels of a line as a window of `capacity` vectors has room for, or all of them.
    fn strip(&self, capacity: usize) -> usize {
        let all = self.columns.axis.pixels.next_multiple_of(TILE / 2);
        let tiles = (1..=all / TILE).rev().map(|tiles| tiles * TILE);
        let mut strips = std::iter::once(all).chain(tiles);
        strips.find(|pixels| self.window(*pixels) <= capacity).unwrap_or(0)
    }

    /// Parts of the kernel for which a window of `capacity` vectors has room, one after the other: all of it,
    /// or else each element by itself.
    fn parts(self, capacity: usize) -> impl Iterator<Item = Self> {
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
struct Side {
    axis: Axis,
    /// How far it is in the picture from one line of the window to the next.
    step: usize,
    /// How far it is in the window from pixel to pixel, and from element to element of the kernel.
    by_pixel: usize,
    by_tap: usize,
}

impl Side {
    fn new(axis: Axis) -> Self {
        let step = if axis.taps > 1 { divisor(axis.by_pixel, axis.by_tap) } else { axis.by_pixel };
        Self { axis, step, by_pixel: axis.by_pixel / step, by_tap: axis.by_tap / step }
    }

    /// How many lines `pixels` of them meet.
    fn reach(&self, pixels: usize) -> usize {
        let taps = self.axis.taps.saturating_sub(1);
        (pixels - 1) * self.by_pixel + taps * self.by_tap + 1
    }

    /// The first `count` lines from those that pixels meet, as elements of a kernel.
    fn lines(&self, count: usize) -> Axis {
        Axis { taps: count, by_tap: self.step, ..self.axis }
    }
}

/// The largest number that divides both.
const fn divisor(a: usize, b: usize) -> usize {
    if b == 0 { a } else { divisor(b, a % b) }
}

/// A vector of channels.
#[derive(Clone, Copy)]
struct Vector<L: Lanes> {
    /// The first one.
    channel: usize,
    /// Whether there are as many as there are lanes, and which ones are used.
    whole: bool,
    tail: L::Tail,
}

// SAFETY of all functions below: `check` has found the lengths of the slices, and of `y` and `d_weight`, which
// nobody else has. `Axis::met` keeps what is read on the picture, channels from `channel` on are as many as the
// tail says, and what is read of a window was written before.
impl<L: Lanes> Vector<L> {
    /// Those from `channel` on, of `channels`.
    #[inline(always)]
    unsafe fn new(channel: usize, channels: usize) -> Self {
        let count = (channels - channel).min(L::COUNT);
        // SAFETY: above.
        Self { channel, whole: count == L::COUNT, tail: unsafe { L::tail(count) } }
    }

    #[inline(always)]
    unsafe fn load(&self, from: *const f32) -> L::Vector {
        // SAFETY: above.
        unsafe { if self.whole { L::load(from) } else { L::load_tail(from, self.tail) } }
    }

    #[inline(always)]
    unsafe fn store(&self, to: *mut f32, v: L::Vector) {
        // SAFETY: above.
        unsafe { if self.whole { L::store(to, v) } else { L::store_tail(to, v, self.tail) } }
    }
}

impl Sizes {
    /// Copies the weights of a vector of channels, each behind the one before.
    #[inline(always)]
    unsafe fn gather<L: Lanes>(&self, vector: Vector<L>, weight: *const f32, mut to: *mut f32) {
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

/// Pixels that are computed together: as many sums as multiply-adds are under way at a time.
const TILE: usize = 8;

/// Memory of a window: what leaves room for other things in a second-level cache.
#[repr(align(64))]
struct WindowMemory([MaybeUninit<f32>; 1 << 15]);

/// What a group of vectors of channels meets of a picture. For each vector there are the weights (or their gradient),
/// and behind them as many lines as one line of pixels meets. The next line takes the place of one that is not met
/// any more.
#[derive(Clone, Copy)]
struct Window {
    start: *mut f32,
    /// Numbers from one vector of channels to the next, and where the first line begins.
    by_vector: usize,
    lines: usize,
    /// How many lines there are, and how many vectors in each.
    height: usize,
    width: usize,
}

/// A line of pixels, or a strip of it, to be computed.
struct Line<'a, L: Lanes> {
    sizes: &'a Sizes,
    window: Window,
    vector: Vector<L>,
    row: usize,
    pixels: Range<usize>,
    /// The lines of the kernel that lie on the picture.
    met: Range<usize>,
    /// Which line of the window is the first one.
    first: usize,
}

impl<L: Lanes> Line<'_, L> {
    /// What pixel `column` meets with the first element of line `i` of the kernel.
    #[inline(always)]
    unsafe fn place(&self, i: usize, column: usize) -> *const f32 {
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
    unsafe fn weights(&self, i: usize) -> *mut f32 {
        // SAFETY: above.
        unsafe { self.window.start.add(i * self.sizes.columns.axis.taps * L::COUNT) }
    }

    /// Where pixel `column` stands in the picture that is written.
    #[inline(always)]
    fn pixel(&self, column: usize) -> usize {
        let Sizes { channels, rows, columns, width, .. } = *self.sizes;
        let row = rows.axis.first + self.row * rows.axis.step;
        let column = columns.axis.first + column * columns.axis.step;
        (row * width + column) * channels + self.vector.channel
    }
}

/// What is done with a picture.
trait Work {
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
unsafe fn run<L: Lanes>(work: &impl Work) {
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

/// One picture forward.
struct Forward<'a> {
    sizes: Sizes,
    x: &'a [f32],
    weight: &'a [f32],
    bias: &'a [f32],
    y: *mut f32,
}

impl Kernel for Forward<'_> {
    #[inline(always)]
    unsafe fn run<L: Lanes>(&self) {
        // SAFETY: above.
        unsafe { run::<L>(self) }
    }
}

impl Work for Forward<'_> {
    fn read(&self) -> (&Sizes, *const f32) {
        (&self.sizes, self.x.as_ptr())
    }

    #[inline(always)]
    unsafe fn begin<L: Lanes>(&self, sizes: &Sizes, vector: Vector<L>, weights: *mut f32) {
        // SAFETY: above.
        unsafe { sizes.gather(vector, self.weight.as_ptr(), weights) };
    }

    #[inline(always)]
    unsafe fn line<L: Lanes>(&self, part: usize, line: &Line<'_, L>) {
        let mut column = line.pixels.start;
        while column < line.pixels.end {
            let rest = line.pixels.end - column;
            // SAFETY: above.
            unsafe {
                if rest > TILE / 2 {
                    self.tile::<L, TILE>(part, line, column, rest);
                    column += TILE;
                } else {
                    self.tile::<L, { TILE / 2 }>(part, line, column, rest);
                    column += TILE / 2;
                }
            }
        }
    }

    #[inline(always)]
    unsafe fn end<L: Lanes>(&self, _: &Sizes, _: Vector<L>, _: *const f32) {}
}

impl Forward<'_> {
    /// `M` neighbouring pixels, of which there are `rest`.
    #[inline(always)]
    unsafe fn tile<L: Lanes, const M: usize>(
        &self,
        part: usize,
        line: &Line<'_, L>,
        column: usize,
        rest: usize,
    ) {
        let Sizes { channels, columns, .. } = *line.sizes;
        let (vector, count) = (line.vector, rest.min(M));
        let slides = columns.by_pixel == 1 && columns.by_tap == 1;
        // SAFETY: above.
        unsafe {
            let y = self.y.add(line.pixel(column));
            let y_step = columns.axis.step * channels;
            let mut sums = [L::zero(); M];
            if part > 0 {
                sums = load_some(vector, y, y_step, count);
            } else if !self.bias.is_empty() {
                sums = [vector.load(self.bias.as_ptr().add(vector.channel)); M];
            }
            for i in line.met.clone() {
                let (x, weight) = (line.place(i, column), line.weights(i));
                match columns.axis.taps {
                    3 if slides => slide::<L, M, 3>(&mut sums, x, weight),
                    5 if slides => slide::<L, M, 5>(&mut sums, x, weight),
                    7 if slides => slide::<L, M, 7>(&mut sums, x, weight),
                    _ => step::<L, M>(&mut sums, &columns, x, weight),
                }
            }
            if vector.whole && count == M {
                for m in 0..M {
                    L::store(y.add(m * y_step), sums[m]);
                }
            } else {
                store_some(vector, sums, y, y_step, count);
            }
        }
    }
}

/// Adds what a line of a kernel sums that is `K` wide and goes on by one pixel: a number of the picture is
/// loaded once for all elements of the line.
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

/// Adds what a line of any kernel sums.
#[inline(always)]
unsafe fn step<L: Lanes, const M: usize>(
    sums: &mut [L::Vector; M],
    columns: &Side,
    mut x: *const f32,
    mut weight: *const f32,
) {
    let by_pixel = columns.by_pixel * L::COUNT;
    for _ in 0..columns.axis.taps {
        // SAFETY: above.
        unsafe {
            let w = L::load(weight);
            for m in 0..M {
                sums[m] = L::mul_add(L::load(x.add(m * by_pixel)), w, sums[m]);
            }
            weight = weight.add(L::COUNT);
            x = x.wrapping_add(columns.by_tap * L::COUNT);
        }
    }
}

/// The first `count` of `M` vectors that stand `step` numbers from each other. A loop: written out for each of
/// them, ends of vectors made up a good part of the time to compile this.
#[inline(always)]
unsafe fn load_some<L: Lanes, const M: usize>(
    vector: Vector<L>,
    from: *const f32,
    step: usize,
    count: usize,
) -> [L::Vector; M] {
    // SAFETY: above.
    unsafe {
        let mut loaded = [L::zero(); M];
        for m in 0..count {
            loaded[m] = vector.load(from.add(m * step));
        }
        loaded
    }
}

/// The same for writing.
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

/// The gradient of the weights from one picture, added to what there is.
struct DWeight<'a> {
    sizes: Sizes,
    x: &'a [f32],
    d_y: &'a [f32],
    d_weight: *mut f32,
}

/// Elements of the kernel whose gradients are computed together: those of 3x3.
const TAPS: usize = 9;

impl Kernel for DWeight<'_> {
    #[inline(always)]
    unsafe fn run<L: Lanes>(&self) {
        // SAFETY: above.
        unsafe { run::<L>(self) }
    }
}

impl Work for DWeight<'_> {
    fn read(&self) -> (&Sizes, *const f32) {
        (&self.sizes, self.x.as_ptr())
    }

    #[inline(always)]
    unsafe fn begin<L: Lanes>(&self, sizes: &Sizes, vector: Vector<L>, weights: *mut f32) {
        // SAFETY: above.
        unsafe { sizes.gather(vector, self.d_weight, weights) };
    }

    #[inline(always)]
    unsafe fn line<L: Lanes>(&self, _part: usize, line: &Line<'_, L>) {
        let width = line.sizes.columns.axis.taps;
        for first in (line.met.start * width..line.met.end * width).step_by(TAPS) {
            // SAFETY: above.
            unsafe { self.taps::<L>(line, first) };
        }
    }

    #[inline(always)]
    unsafe fn end<L: Lanes>(&self, sizes: &Sizes, vector: Vector<L>, mut weights: *const f32) {
        for i in 0..sizes.rows.axis.taps {
            for j in 0..sizes.columns.axis.taps {
                // SAFETY: above.
                unsafe {
                    let to = self.d_weight.add(sizes.weight(i, j) + vector.channel);
                    vector.store(to, L::load(weights));
                    weights = weights.add(L::COUNT);
                }
            }
        }
    }
}

impl DWeight<'_> {
    /// What a line of pixels adds to the gradients of `TAPS` elements of the kernel, from `first` on. Behind the
    /// last one that is met, it is computed again: the same number goes to the same place.
    #[inline(always)]
    unsafe fn taps<L: Lanes>(&self, line: &Line<'_, L>, first: usize) {
        let Sizes { channels, columns, .. } = *line.sizes;
        let width = columns.axis.taps;
        let (mut i, mut j) = (first / width, first % width);
        // SAFETY: above.
        unsafe {
            let mut x = [line.window.start.cast_const(); TAPS];
            let mut d_weight = [line.window.start; TAPS];
            let mut sums = [L::zero(); TAPS];
            for t in 0..TAPS {
                x[t] = line.place(i, line.pixels.start).add(j * columns.by_tap * L::COUNT);
                d_weight[t] = line.weights(i).add(j * L::COUNT);
                sums[t] = L::load(d_weight[t]);
                if j + 1 < width {
                    j += 1;
                } else if i + 1 < line.met.end {
                    (i, j) = (i + 1, 0);
                }
            }
            let mut d_y = self.d_y.as_ptr().add(line.pixel(line.pixels.start));
            for p in 0..line.pixels.len() {
                let d_y_p = line.vector.load(d_y);
                for t in 0..TAPS {
                    let x = x[t].add(p * columns.by_pixel * L::COUNT);
                    sums[t] = L::mul_add(L::load(x), d_y_p, sums[t]);
                }
                d_y = d_y.wrapping_add(channels);
            }
            for t in 0..TAPS {
                L::store(d_weight[t], sums[t]);
            }
        }
    }
}
