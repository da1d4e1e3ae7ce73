//! Pools: what stands under a window that goes over pictures `[H, W, C]`.

use super::dispatch::dispatch;
use super::isa::Isa;
use super::pool_2x2::max_2x2;
use core::ops::Range;
use unrolled_shape::Shape;
use unrolled_shape::rules::window::{Over, Window};

/// The sizes of a pool.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pool {
    window: Window,
    /// Height, width and channels.
    input: [usize; 3],
    /// Height and width.
    output: [usize; 2],
}

impl Pool {
    /// The pool that goes from `[H, W, C]` to `[H', W', C]`, or from `[T, C]` to `[T', C]`.
    pub(crate) const fn new(window: Window, input: Shape, output: Shape) -> Self {
        let (input, output) = (window.as_image(input), window.as_image(output));
        let input = [input.dim(0), input.dim(1), input.dim(2)];
        Self { window, input, output: [output.dim(0), output.dim(1)] }
    }

    /// The pool whose window covers all leading axes at once: from `[.., C]` to `[C]`.
    pub(crate) const fn global(input: Shape) -> Self {
        let pixels = input.len() / input.last();
        let kernel = [1, pixels];
        let (over, stride, dilation) = (Over::Images, [1; 2], [1; 2]);
        let window = Window { over, kernel, stride, padding: [[0; 2]; 2], dilation };
        Self { window, input: [1, pixels, input.last()], output: [1, 1] }
    }

    /// The same pool where `valid` of the `full` steps of the input's first axis are there.
    pub(crate) fn of_steps(&self, valid: usize, full: usize) -> Self {
        let (mut window, pixels) = (self.window, self.input[1] / full * valid);
        let out = if let Over::Steps = window.over {
            window.step_map().apply(valid)
        } else {
            // It covers them all.
            window.kernel[1] = pixels;
            pixels.min(1)
        };
        Self { window, input: [1, pixels, self.input[2]], output: [1, out] }
    }

    /// The pool of `rows` by `columns` windows that lie side by side over pictures of `channels`, of which
    /// nothing is left over.
    pub(super) const fn side_by_side(
        kernel: [usize; 2],
        output: [usize; 2],
        channels: usize,
    ) -> Self {
        let (over, stride) = (Over::Images, kernel);
        let window = Window { over, kernel, stride, padding: [[0; 2]; 2], dilation: [1; 2] };
        Self { window, input: [output[0] * kernel[0], output[1] * kernel[1], channels], output }
    }

    /// How many elements the kernel has.
    pub(crate) const fn area(&self) -> usize {
        self.window.kernel[0] * self.window.kernel[1]
    }

    pub(crate) const fn input_len(&self) -> usize {
        self.input[0] * self.input[1] * self.input[2]
    }

    pub(crate) const fn output_len(&self) -> usize {
        self.output[0] * self.output[1] * self.input[2]
    }

    /// The elements of the kernel that lie on the picture along `axis`, for output `at`.
    #[inline(always)]
    fn on_picture(&self, axis: usize, at: usize) -> Range<usize> {
        let Window { kernel, stride, padding, dilation, .. } = self.window;
        let begin = at * stride[axis];
        let size = self.input[axis] + padding[axis][0];
        let first = padding[axis][0].saturating_sub(begin).div_ceil(dilation[axis]);
        let end = size.saturating_sub(begin).div_ceil(dilation[axis]);
        first..end.min(kernel[axis])
    }

    /// What lies under the window of output pixel `row`, `column`.
    #[inline(always)]
    fn under(&self, row: usize, column: usize) -> Under {
        let Window { kernel, stride, padding, dilation, .. } = self.window;
        // `begin + padding`, in pixels, of the kernel's first element.
        let pixel = row * stride[0] * self.input[1] + column * stride[1];
        Under {
            rows: self.on_picture(0, row),
            columns: self.on_picture(1, column),
            kernel_width: kernel[1],
            pixel,
            padding: padding[0][0] * self.input[1] + padding[1][0],
            steps: [dilation[0] * self.input[1], dilation[1]],
            channels: self.input[2],
        }
    }

    /// The number that an average divides by.
    #[inline(always)]
    fn divisor(&self, under: &Under, include_padding: bool) -> f32 {
        let count =
            if include_padding { self.area() } else { under.rows.len() * under.columns.len() };
        count as f32
    }
}

/// The elements of the kernel that lie on the picture, at one place of the window.
struct Under {
    rows: Range<usize>,
    columns: Range<usize>,
    kernel_width: usize,
    pixel: usize,
    padding: usize,
    steps: [usize; 2],
    channels: usize,
}

impl Under {
    /// The number of element `i`, `j` in the kernel.
    #[inline(always)]
    fn element(&self, i: usize, j: usize) -> usize {
        i * self.kernel_width + j
    }

    /// The number of the first element on the picture.
    #[inline(always)]
    fn first(&self) -> usize {
        self.element(self.rows.start, self.columns.start)
    }

    /// Where the pixel under element `i`, `j` begins.
    #[inline(always)]
    fn at(&self, i: usize, j: usize) -> usize {
        (self.pixel + i * self.steps[0] + j * self.steps[1] - self.padding) * self.channels
    }
}

/// What a pool does at one place of its window with `L` neighbouring channels, whose first is
/// number `y` of the output and `c` of the pixel.
trait Step {
    fn channels<const L: usize>(&mut self, under: &Under, y: usize, c: usize);
}

/// Leads `step` over one picture.
#[inline(always)]
fn sweep(pool: &Pool, step: &mut impl Step) {
    const VECTOR: usize = 16;
    const QUARTER: usize = 4;
    let channels = pool.input[2];
    for row in 0..pool.output[0] {
        for column in 0..pool.output[1] {
            let under = pool.under(row, column);
            let y = (row * pool.output[1] + column) * channels;
            let mut c = 0;
            while c + VECTOR <= channels {
                step.channels::<VECTOR>(&under, y + c, c);
                c += VECTOR;
            }
            while c + QUARTER <= channels {
                step.channels::<QUARTER>(&under, y + c, c);
                c += QUARTER;
            }
            while c < channels {
                step.channels::<1>(&under, y + c, c);
                c += 1;
            }
        }
    }
}

/// The `L` numbers at `at`.
#[inline(always)]
fn lanes<T, const L: usize>(x: &[T], at: usize) -> &[T; L] {
    x[at..].first_chunk().expect("the window is on the picture")
}

/// The `L` numbers at `at`, to be written.
#[inline(always)]
fn lanes_mut<T, const L: usize>(x: &mut [T], at: usize) -> &mut [T; L] {
    x[at..].first_chunk_mut().expect("the window is on the picture")
}

/// Whether `x` takes the place of the largest so far. The first of equals wins, and NaN stays.
#[inline(always)]
fn wins(x: f32, largest: f32) -> bool {
    x > largest || x.is_nan()
}

struct Max<'a> {
    x: &'a [f32],
    y: &'a mut [f32],
}

impl Step for Max<'_> {
    #[inline(always)]
    fn channels<const L: usize>(&mut self, under: &Under, y: usize, c: usize) {
        let mut largest = [f32::NEG_INFINITY; L];
        for i in under.rows.clone() {
            for j in under.columns.clone() {
                let x = lanes::<_, L>(self.x, under.at(i, j) + c);
                for l in 0..L {
                    largest[l] = if wins(x[l], largest[l]) { x[l] } else { largest[l] };
                }
            }
        }
        *lanes_mut(self.y, y) = largest;
    }
}

/// A number that can hold the winner's place in the kernel.
trait Winner: Copy {
    fn from_element(element: u32) -> Self;
    fn element(self) -> u32;
}

impl Winner for u8 {
    #[inline(always)]
    fn from_element(element: u32) -> Self {
        element as Self
    }
    #[inline(always)]
    fn element(self) -> u32 {
        self.into()
    }
}

impl Winner for u32 {
    #[inline(always)]
    fn from_element(element: u32) -> Self {
        element
    }
    #[inline(always)]
    fn element(self) -> u32 {
        self
    }
}

struct MaxAndWinners<'a, W> {
    x: &'a [f32],
    y: &'a mut [f32],
    winners: &'a mut [W],
}

impl<W: Winner> Step for MaxAndWinners<'_, W> {
    #[inline(always)]
    fn channels<const L: usize>(&mut self, under: &Under, y: usize, c: usize) {
        let mut largest = [f32::NEG_INFINITY; L];
        // Where all are -inf the first wins.
        let mut winner = [under.first() as u32; L];
        for i in under.rows.clone() {
            for j in under.columns.clone() {
                let x = lanes::<_, L>(self.x, under.at(i, j) + c);
                let element = under.element(i, j) as u32;
                for l in 0..L {
                    let wins = wins(x[l], largest[l]);
                    largest[l] = if wins { x[l] } else { largest[l] };
                    winner[l] = if wins { element } else { winner[l] };
                }
            }
        }
        *lanes_mut(self.y, y) = largest;
        *lanes_mut(self.winners, y) = winner.map(W::from_element);
    }
}

struct MaxBackward<'a, W> {
    winners: &'a [W],
    d_y: &'a [f32],
    d_x: &'a mut [f32],
}

impl<W: Winner> Step for MaxBackward<'_, W> {
    #[inline(always)]
    fn channels<const L: usize>(&mut self, under: &Under, y: usize, c: usize) {
        let d_y = *lanes::<_, L>(self.d_y, y);
        let winner = lanes::<_, L>(self.winners, y).map(W::element);
        for i in under.rows.clone() {
            for j in under.columns.clone() {
                let element = under.element(i, j) as u32;
                let d_x = lanes_mut::<_, L>(self.d_x, under.at(i, j) + c);
                let mut sum = *d_x;
                for l in 0..L {
                    sum[l] += if winner[l] == element { d_y[l] } else { 0.0 };
                }
                *d_x = sum;
            }
        }
    }
}

struct Average<'a> {
    pool: &'a Pool,
    include_padding: bool,
    x: &'a [f32],
    y: &'a mut [f32],
}

impl Step for Average<'_> {
    #[inline(always)]
    fn channels<const L: usize>(&mut self, under: &Under, y: usize, c: usize) {
        let mut sum = [0.0; L];
        for i in under.rows.clone() {
            for j in under.columns.clone() {
                let x = lanes::<_, L>(self.x, under.at(i, j) + c);
                for l in 0..L {
                    sum[l] += x[l];
                }
            }
        }
        let divisor = self.pool.divisor(under, self.include_padding);
        *lanes_mut(self.y, y) = sum.map(|sum| sum / divisor);
    }
}

struct AverageBackward<'a> {
    pool: &'a Pool,
    include_padding: bool,
    d_y: &'a [f32],
    d_x: &'a mut [f32],
}

impl Step for AverageBackward<'_> {
    #[inline(always)]
    fn channels<const L: usize>(&mut self, under: &Under, y: usize, c: usize) {
        let divisor = self.pool.divisor(under, self.include_padding);
        let d = lanes::<_, L>(self.d_y, y).map(|d| d / divisor);
        for i in under.rows.clone() {
            for j in under.columns.clone() {
                let d_x = lanes_mut::<_, L>(self.d_x, under.at(i, j) + c);
                for l in 0..L {
                    d_x[l] += d[l];
                }
            }
        }
    }
}

/// The largest number under each window; padding never wins.
pub(crate) fn max(isa: Isa, pool: &Pool, x: &[f32], y: &mut [f32]) {
    let by_2 = Pool::side_by_side([2, 2], pool.output, pool.input[2]);
    if pool.window == by_2.window {
        max_2x2(isa, pool.input, x, y);
    } else {
        max_of_any(pool, x, y);
    }
}

dispatch! {
    fn max_of_any(pool: &Pool, x: &[f32], y: &mut [f32]) {
        let pictures = x.chunks_exact(pool.input_len()).zip(y.chunks_exact_mut(pool.output_len()));
        for (x, y) in pictures {
            sweep(pool, &mut Max { x, y });
        }
    }

    /// The average under each window.
    pub(crate) fn average(pool: &Pool, include_padding: bool, x: &[f32], y: &mut [f32]) {
        let pictures = x.chunks_exact(pool.input_len()).zip(y.chunks_exact_mut(pool.output_len()));
        for (x, y) in pictures {
            sweep(pool, &mut Average { pool, include_padding, x, y });
        }
    }

    /// The gradient of the input of [`average`].
    pub(crate) fn average_backward(
        pool: &Pool,
        include_padding: bool,
        d_y: &[f32],
        d_x: &mut [f32],
    ) {
        d_x.fill(0.0);
        let pictures =
            d_x.chunks_exact_mut(pool.input_len()).zip(d_y.chunks_exact(pool.output_len()));
        for (d_x, d_y) in pictures {
            sweep(pool, &mut AverageBackward { pool, include_padding, d_y, d_x });
        }
    }
}

/// [`max`], which also leaves the winners.
#[inline(always)]
fn max_with<W: Winner>(pool: &Pool, x: &[f32], y: &mut [f32], winners: &mut [W]) {
    let out = pool.output_len();
    let pictures = x.chunks_exact(pool.input_len()).zip(y.chunks_exact_mut(out));
    for ((x, y), winners) in pictures.zip(winners.chunks_exact_mut(out)) {
        sweep(pool, &mut MaxAndWinners { x, y, winners });
    }
}

/// Each output's gradient goes to its winner.
#[inline(always)]
fn max_with_backward<W: Winner>(pool: &Pool, winners: &[W], d_y: &[f32], d_x: &mut [f32]) {
    d_x.fill(0.0);
    let out = pool.output_len();
    let pictures = d_x.chunks_exact_mut(pool.input_len()).zip(d_y.chunks_exact(out));
    for ((d_x, d_y), winners) in pictures.zip(winners.chunks_exact(out)) {
        sweep(pool, &mut MaxBackward { winners, d_y, d_x });
    }
}

dispatch! {
    fn max_u8(pool: &Pool, x: &[f32], y: &mut [f32], winners: &mut [u8]) {
        max_with(pool, x, y, winners);
    }

    fn max_u8_backward(pool: &Pool, winners: &[u8], d_y: &[f32], d_x: &mut [f32]) {
        max_with_backward(pool, winners, d_y, d_x);
    }
}

/// Numbers that hold the winners of `out` outputs under a kernel of `area` elements.
pub(crate) const fn winners_len(area: usize, out: usize) -> usize {
    if area <= 1 << u8::BITS { out.div_ceil(size_of::<f32>()) } else { out }
}

/// [`max`], which also leaves where each largest number stood: [`winners_len`] numbers per picture.
pub(crate) fn max_and_winners(pool: &Pool, x: &[f32], y: &mut [f32], winners: &mut [f32]) {
    if pool.area() <= 1 << u8::BITS {
        max_u8(pool, x, y, bytes_mut(winners));
    } else {
        // Windows of so many elements are rare: not worth kernels for all kinds of instructions.
        max_with(pool, x, y, words_mut(winners));
    }
}

/// The gradient of the input of [`max`]: each output's goes to its winner.
pub(crate) fn max_backward(pool: &Pool, winners: &[f32], d_y: &[f32], d_x: &mut [f32]) {
    if pool.area() <= 1 << u8::BITS {
        max_u8_backward(pool, bytes(winners), d_y, d_x);
    } else {
        max_with_backward(pool, words(winners), d_y, d_x);
    }
}

fn bytes(numbers: &[f32]) -> &[u8] {
    // SAFETY: the same memory; bytes have no alignment, and any bits are valid.
    unsafe { core::slice::from_raw_parts(numbers.as_ptr().cast(), size_of_val(numbers)) }
}

fn bytes_mut(numbers: &mut [f32]) -> &mut [u8] {
    // SAFETY: as above, uniquely borrowed, and any bits are valid `f32`s.
    unsafe { core::slice::from_raw_parts_mut(numbers.as_mut_ptr().cast(), size_of_val(numbers)) }
}

fn words(numbers: &[f32]) -> &[u32] {
    // SAFETY: the same memory; size and alignment are those of `f32`, and any bits are valid.
    unsafe { core::slice::from_raw_parts(numbers.as_ptr().cast(), numbers.len()) }
}

fn words_mut(numbers: &mut [f32]) -> &mut [u32] {
    // SAFETY: as above, uniquely borrowed, and any bits are valid `f32`s.
    unsafe { core::slice::from_raw_parts_mut(numbers.as_mut_ptr().cast(), numbers.len()) }
}
