//! Pooling: maximum and average under a window that moves over volumes `[D, H, W, C]`. An image is a volume of depth 1.

use super::dispatch::dispatch;
use super::isa::Isa;
use super::pool_2x2::{max_2x2, max_2x2_and_winners, max_2x2_backward};
use core::ops::Range;
use unrolled_shape::Shape;
use unrolled_shape::rules::window::{Over, Window};

/// The sizes of a pool.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pool {
    window: Window,
    /// Depth, height and width.
    input: [usize; 3],
    channels: usize,
    /// Depth, height and width.
    output: [usize; 3],
    /// Whether the position and size of a window depend on the output's size, not on `window`.
    adaptive: bool,
}

impl Pool {
    /// The pool from `[D, H, W, C]` to `[D', H', W', C]`, from `[H, W, C]` to `[H', W', C]`, or from `[T, C]` to
    /// `[T', C]`.
    pub(crate) const fn new(window: Window, input: Shape, output: Shape) -> Self {
        let (input, output) = (window.as_volume(input), window.as_volume(output));
        Self {
            window,
            input: [input.dim(0), input.dim(1), input.dim(2)],
            channels: input.dim(3),
            output: [output.dim(0), output.dim(1), output.dim(2)],
            adaptive: false,
        }
    }

    /// The pool between the same shapes that covers the input by windows of nearly equal size: `nn.AdaptiveAvgPool2d`.
    pub(crate) const fn adaptive(over: Over, input: Shape, output: Shape) -> Self {
        let mut window = Window::without_padding(over, [1; 3], [1; 3], [1; 3]);
        let pool = Self { adaptive: true, ..Self::new(window, input, output) };
        let mut axis = 0;
        while axis < 3 {
            // The largest window: where a window's ends are rounded to whole elements, it covers one more.
            let more = if pool.output[axis] > 1 { 1 } else { 0 };
            window.kernel[axis] = pool.input[axis].div_ceil(pool.output[axis]) + more;
            axis += 1;
        }
        Self { window, ..pool }
    }

    /// The pool whose window covers all leading axes at once: from `[.., C]` to `[C]`.
    pub(crate) const fn global(input: Shape) -> Self {
        let size = [1, 1, input.len() / input.last()];
        let window = Window::without_padding(Over::Images, size, [1; 3], [1; 3]);
        Self { window, input: size, channels: input.last(), output: [1; 3], adaptive: false }
    }

    /// The same pool of a sequence with `valid` of `full` steps on the first axis of the input.
    pub(crate) fn of_steps(&self, valid: usize, full: usize) -> Self {
        let (mut window, pixels) = (self.window, self.input[2] / full * valid);
        let out = if let Over::Steps = window.over {
            window.step_map().apply(valid)
        } else {
            // A global window covers all of them.
            window.kernel[2] = pixels;
            pixels.min(1)
        };
        Self { window, input: [1, 1, pixels], output: [1, 1, out], ..*self }
    }

    /// The pool of windows that do not overlap and cover images of `channels` completely.
    pub(super) const fn side_by_side(
        [kernel_height, kernel_width]: [usize; 2],
        [height, width]: [usize; 2],
        channels: usize,
    ) -> Self {
        let kernel = [1, kernel_height, kernel_width];
        let window = Window::without_padding(Over::Images, kernel, kernel, [1; 3]);
        let input = [1, height * kernel_height, width * kernel_width];
        Self { window, input, channels, output: [1, height, width], adaptive: false }
    }

    /// Height, width and channels of the input, if windows of two by two pixels lie side by side.
    fn as_2x2(&self) -> Option<[usize; 3]> {
        let [_, height, width] = self.input;
        // Compared as a whole: also stride, padding and dilation must be those of such a pool.
        let is_2x2 = self.window == Self::side_by_side([2, 2], [1, 1], 1).window;
        is_2x2.then_some([height, width, self.channels])
    }

    /// The number of elements of the window.
    pub(crate) const fn area(&self) -> usize {
        self.window.kernel[0] * self.window.kernel[1] * self.window.kernel[2]
    }

    pub(crate) const fn input_len(&self) -> usize {
        self.input[0] * self.input[1] * self.input[2] * self.channels
    }

    pub(crate) const fn output_len(&self) -> usize {
        self.output[0] * self.output[1] * self.output[2] * self.channels
    }

    /// The elements of the window that are inside of the volume along `axis`, for output `at`.
    #[inline(always)]
    fn inside(&self, axis: usize, at: usize) -> Range<usize> {
        let Window { kernel, stride, padding, dilation, .. } = self.window;
        if self.adaptive {
            let (size, outputs) = (self.input[axis], self.output[axis]);
            return 0..((at + 1) * size).div_ceil(outputs) - at * size / outputs;
        }
        let begin = at * stride[axis];
        let size = self.input[axis] + padding[axis][0];
        // `begin` counts from the beginning of the padding: the first element that is not before the image, and the
        // first one after it.
        let first = padding[axis][0].saturating_sub(begin).div_ceil(dilation[axis]);
        let end = size.saturating_sub(begin).div_ceil(dilation[axis]);
        first..end.min(kernel[axis])
    }

    /// The pixels under the window of the output pixel with these indices, where the elements of the window that are
    /// inside of the volume are known.
    #[inline(always)]
    fn under(&self, at: [usize; 3], [planes, rows, columns]: [Range<usize>; 3]) -> Under {
        let Window { kernel, stride, padding, dilation, .. } = self.window;
        // The pixel of the window's first element, plus the padding, so that it is not negative.
        let first = if self.adaptive {
            [0, 1, 2].map(|axis| at[axis] * self.input[axis] / self.output[axis])
        } else {
            [0, 1, 2].map(|axis| at[axis] * stride[axis])
        };
        let [_, height, width] = self.input;
        let pixel = |[plane, row, column]: [usize; 3]| (plane * height + row) * width + column;
        Under {
            at,
            planes,
            rows,
            columns,
            kernel,
            pixel: pixel(first),
            padding: pixel(padding.map(|[before, _]| before)),
            steps: [dilation[0] * height * width, dilation[1] * width, dilation[2]],
            channels: self.channels,
        }
    }

    /// The divisor of an average; `include_padding` is `count_include_pad` of `nn.AvgPool2d`.
    #[inline(always)]
    fn divisor(&self, under: &Under, include_padding: bool) -> f32 {
        let count = if include_padding {
            let [plane, row, column] = under.at;
            self.counted(0, plane) * self.counted(1, row) * self.counted(2, column)
        } else {
            under.lines() * under.columns.len()
        };
        count as f32
    }

    /// The elements of the window along `axis` that an average counts, for output `at`: not those after the padding.
    #[inline(always)]
    fn counted(&self, axis: usize, at: usize) -> usize {
        let Window { kernel, stride, padding, uncounted, .. } = self.window;
        if uncounted[axis] == 0 {
            return kernel[axis];
        }
        let end = self.input[axis] + padding[axis][0] + padding[axis][1] - uncounted[axis];
        kernel[axis].min(end - at * stride[axis])
    }
}

/// The elements of the window that are inside of the volume, at one position of the window.
struct Under {
    /// Plane, row and column of the output.
    at: [usize; 3],
    /// Planes of the window.
    planes: Range<usize>,
    /// Lines of each plane.
    rows: Range<usize>,
    /// Elements of each line.
    columns: Range<usize>,
    kernel: [usize; 3],
    /// The pixel under the first element of the window, plus `padding`.
    pixel: usize,
    /// Pixels of padding before the first pixel of the volume, in lines of the volume.
    padding: usize,
    /// Pixels from one element of the window to the next along each axis.
    steps: [usize; 3],
    channels: usize,
}

/// A line of the window, inside of the volume.
#[derive(Clone, Copy)]
struct WindowLine {
    /// The index of its first element in the window.
    element: usize,
    /// The pixel under that element, plus the padding.
    pixel: usize,
}

impl Under {
    /// The number of lines.
    #[inline(always)]
    fn lines(&self) -> usize {
        self.planes.len() * self.rows.len()
    }

    /// Line `row` of plane `plane`.
    #[inline(always)]
    fn line(&self, plane: usize, row: usize) -> WindowLine {
        let [_, height, width] = self.kernel;
        WindowLine {
            element: (plane * height + row) * width,
            pixel: self.pixel + plane * self.steps[0] + row * self.steps[1],
        }
    }

    /// The index of the first element inside of the volume.
    #[inline(always)]
    fn first(&self) -> usize {
        self.line(self.planes.start, self.rows.start).element + self.columns.start
    }

    /// The offset of the pixel under element `j` of a line.
    #[inline(always)]
    fn at(&self, line: WindowLine, j: usize) -> usize {
        (line.pixel + j * self.steps[2] - self.padding) * self.channels
    }
}

/// Runs a block for each [`WindowLine`] of an [`Under`]. No function, since a closure is not inlined for certain, and its
/// sums would be in memory then.
macro_rules! for_each_line {
    ($under:expr, |$line:ident| $block:block) => {
        for plane in $under.planes.clone() {
            for row in $under.rows.clone() {
                let $line = $under.line(plane, row);
                $block
            }
        }
    };
}

/// The operation of a pool at one position of its window on `L` neighbouring channels, the first of which is element
/// `y` of the output and `c` of the pixel.
trait WindowOp {
    fn channels<const L: usize>(&mut self, under: &Under, y: usize, c: usize);
}

/// Applies `op` at each position of the window on one volume, to all channels.
#[inline(always)]
fn sweep(pool: &Pool, op: &mut impl WindowOp) {
    let mut y = 0;
    for plane in 0..pool.output[0] {
        // Once per plane and once per row, since it divides.
        let planes = pool.inside(0, plane);
        for row in 0..pool.output[1] {
            let rows = pool.inside(1, row);
            for column in 0..pool.output[2] {
                let ranges = [planes.clone(), rows.clone(), pool.inside(2, column)];
                apply(pool.channels, &pool.under([plane, row, column], ranges), y, op);
                y += pool.channels;
            }
        }
    }
}

/// Applies `op` at one position of the window, to all channels; `y` is the first element of the output there.
#[inline(always)]
fn apply(channels: usize, under: &Under, y: usize, op: &mut impl WindowOp) {
    const VECTOR: usize = 16;
    const QUARTER: usize = 4;
    let mut c = 0;
    // Constant numbers of channels, so that the operation becomes vector instructions: a vector of AVX-512, one
    // of SSE, and single channels for the rest.
    while c + VECTOR <= channels {
        op.channels::<VECTOR>(under, y + c, c);
        c += VECTOR;
    }
    while c + QUARTER <= channels {
        op.channels::<QUARTER>(under, y + c, c);
        c += QUARTER;
    }
    while c < channels {
        op.channels::<1>(under, y + c, c);
        c += 1;
    }
}

/// The `L` elements at `at`.
#[inline(always)]
fn lanes<T, const L: usize>(x: &[T], at: usize) -> &[T; L] {
    x[at..].first_chunk().expect("the window is inside of the image")
}

/// The `L` elements at `at`, mutable.
#[inline(always)]
fn lanes_mut<T, const L: usize>(x: &mut [T], at: usize) -> &mut [T; L] {
    x[at..].first_chunk_mut().expect("the window is inside of the image")
}

/// Whether `x` replaces the maximum so far. The first of equals wins, and NaN is kept, as in PyTorch.
#[inline(always)]
fn wins(x: f32, largest: f32) -> bool {
    x > largest || x.is_nan()
}

struct Max<'a> {
    x: &'a [f32],
    y: &'a mut [f32],
}

impl WindowOp for Max<'_> {
    #[inline(always)]
    fn channels<const L: usize>(&mut self, under: &Under, y: usize, c: usize) {
        let mut largest = [f32::NEG_INFINITY; L];
        for_each_line!(under, |line| {
            for j in under.columns.clone() {
                let x = lanes::<_, L>(self.x, under.at(line, j) + c);
                for l in 0..L {
                    largest[l] = if wins(x[l], largest[l]) { x[l] } else { largest[l] };
                }
            }
        });
        *lanes_mut(self.y, y) = largest;
    }
}

/// A type for the winner's index in the window.
trait Winner: Copy {
    fn starting_at(element: u32) -> Self;
    fn element(self) -> u32;
}

impl Winner for u8 {
    #[inline(always)]
    fn starting_at(element: u32) -> Self {
        element as Self
    }
    #[inline(always)]
    fn element(self) -> u32 {
        self.into()
    }
}

impl Winner for u32 {
    #[inline(always)]
    fn starting_at(element: u32) -> Self {
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

impl<W: Winner> WindowOp for MaxAndWinners<'_, W> {
    #[inline(always)]
    fn channels<const L: usize>(&mut self, under: &Under, y: usize, c: usize) {
        let mut largest = [f32::NEG_INFINITY; L];
        // If all are -inf, the first wins.
        let mut winner = [under.first() as u32; L];
        for_each_line!(under, |line| {
            for j in under.columns.clone() {
                let x = lanes::<_, L>(self.x, under.at(line, j) + c);
                let element = (line.element + j) as u32;
                for l in 0..L {
                    let wins = wins(x[l], largest[l]);
                    largest[l] = if wins { x[l] } else { largest[l] };
                    winner[l] = if wins { element } else { winner[l] };
                }
            }
        });
        *lanes_mut(self.y, y) = largest;
        *lanes_mut(self.winners, y) = winner.map(W::starting_at);
    }
}

struct MaxBackward<'a, W> {
    winners: &'a [W],
    d_y: &'a [f32],
    d_x: &'a mut [f32],
}

impl<W: Winner> WindowOp for MaxBackward<'_, W> {
    #[inline(always)]
    fn channels<const L: usize>(&mut self, under: &Under, y: usize, c: usize) {
        let d_y = *lanes::<_, L>(self.d_y, y);
        let winner = lanes::<_, L>(self.winners, y).map(W::element);
        for_each_line!(under, |line| {
            for j in under.columns.clone() {
                let element = (line.element + j) as u32;
                let d_x = lanes_mut::<_, L>(self.d_x, under.at(line, j) + c);
                let mut sum = *d_x;
                for l in 0..L {
                    // Each element of the window is compared with the winner, instead of one indexed addition per
                    // channel: vectors instead of scattered stores.
                    sum[l] += if winner[l] == element { d_y[l] } else { 0.0 };
                }
                *d_x = sum;
            }
        });
    }
}

/// Elements that an average adds in `f32`. Sums of more are sums of parts, in `f64`: the rounding error of a sum grows with
/// its length.
const PART: usize = 64;

/// Longer lines of a window are sums of parts in any case: a global window has one line.
const LINE: usize = 16;

struct Average<'a> {
    pool: &'a Pool,
    include_padding: bool,
    x: &'a [f32],
    y: &'a mut [f32],
}

impl WindowOp for Average<'_> {
    #[inline(always)]
    fn channels<const L: usize>(&mut self, under: &Under, y: usize, c: usize) {
        let divisor = self.pool.divisor(under, self.include_padding);
        let Range { start, end } = under.columns;
        // A branch, since sums in parts take longer where lines are short.
        let in_parts = end - start > LINE || under.lines() * (end - start) > PART;
        *lanes_mut(self.y, y) = if in_parts {
            let mut sum = [0.0; L];
            for_each_line!(under, |line| {
                for first in (start..end).step_by(PART) {
                    let part = self.sum_of_part::<L>(under, c, line, first..end.min(first + PART));
                    for l in 0..L {
                        sum[l] += f64::from(part[l]);
                    }
                }
            });
            sum.map(|sum| (sum / f64::from(divisor)) as f32)
        } else {
            self.sum::<L>(under, c).map(|sum| sum / divisor)
        };
    }
}

impl Average<'_> {
    /// Element `j` of a line of the window in `L` channels, the first of which is `c`.
    #[inline(always)]
    fn at<const L: usize>(
        &self,
        under: &Under,
        c: usize,
        (line, j): (WindowLine, usize),
    ) -> &[f32; L] {
        lanes(self.x, under.at(line, j) + c)
    }

    /// The sum of all elements.
    #[inline(always)]
    fn sum<const L: usize>(&self, under: &Under, c: usize) -> [f32; L] {
        let mut sum = [0.0; L];
        for_each_line!(under, |line| {
            for j in under.columns.clone() {
                let x = self.at::<L>(under, c, (line, j));
                for l in 0..L {
                    sum[l] += x[l];
                }
            }
        });
        sum
    }

    /// The sum of some elements of a line: of four at a time, so that fewer additions follow each other.
    #[inline(always)]
    fn sum_of_part<const L: usize>(
        &self,
        under: &Under,
        c: usize,
        line: WindowLine,
        columns: Range<usize>,
    ) -> [f32; L] {
        let mut sum = [0.0; L];
        let mut j = columns.start;
        while j + 4 <= columns.end {
            let at = |nth| self.at::<L>(under, c, (line, j + nth));
            let (w, x, y, z) = (at(0), at(1), at(2), at(3));
            for l in 0..L {
                sum[l] += (w[l] + x[l]) + (y[l] + z[l]);
            }
            j += 4;
        }
        for j in j..columns.end {
            let x = self.at::<L>(under, c, (line, j));
            for l in 0..L {
                sum[l] += x[l];
            }
        }
        sum
    }
}

struct AverageBackward<'a> {
    pool: &'a Pool,
    include_padding: bool,
    d_y: &'a [f32],
    d_x: &'a mut [f32],
}

impl WindowOp for AverageBackward<'_> {
    #[inline(always)]
    fn channels<const L: usize>(&mut self, under: &Under, y: usize, c: usize) {
        let divisor = self.pool.divisor(under, self.include_padding);
        let d = lanes::<_, L>(self.d_y, y).map(|d| d / divisor);
        for_each_line!(under, |line| {
            for j in under.columns.clone() {
                let d_x = lanes_mut::<_, L>(self.d_x, under.at(line, j) + c);
                for l in 0..L {
                    d_x[l] += d[l];
                }
            }
        });
    }
}

/// The maximum under each window; padding never wins.
pub(crate) fn max(isa: Isa, pool: &Pool, x: &[f32], y: &mut [f32]) {
    match pool.as_2x2() {
        Some(input) => max_2x2(isa, input, x, y),
        None => max_of_any(pool, x, y),
    }
}

dispatch! {
    fn max_of_any(pool: &Pool, x: &[f32], y: &mut [f32]) {
        let images = x.chunks_exact(pool.input_len()).zip(y.chunks_exact_mut(pool.output_len()));
        for (x, y) in images {
            sweep(pool, &mut Max { x, y });
        }
    }

    /// The average under each window.
    pub(crate) fn average(pool: &Pool, include_padding: bool, x: &[f32], y: &mut [f32]) {
        let images = x.chunks_exact(pool.input_len()).zip(y.chunks_exact_mut(pool.output_len()));
        for (x, y) in images {
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
        // Windows may overlap, and a pixel may be under none: gradients are added to zeros.
        d_x.fill(0.0);
        let images =
            d_x.chunks_exact_mut(pool.input_len()).zip(d_y.chunks_exact(pool.output_len()));
        for (d_x, d_y) in images {
            sweep(pool, &mut AverageBackward { pool, include_padding, d_y, d_x });
        }
    }
}

/// [`max`], which also stores the winners.
#[inline(always)]
fn max_with<W: Winner>(pool: &Pool, x: &[f32], y: &mut [f32], winners: &mut [W]) {
    let out = pool.output_len();
    let images = x.chunks_exact(pool.input_len()).zip(y.chunks_exact_mut(out));
    for ((x, y), winners) in images.zip(winners.chunks_exact_mut(out)) {
        sweep(pool, &mut MaxAndWinners { x, y, winners });
    }
}

/// Adds the gradient of each output to its winner.
#[inline(always)]
fn max_with_backward<W: Winner>(pool: &Pool, winners: &[W], d_y: &[f32], d_x: &mut [f32]) {
    d_x.fill(0.0);
    let out = pool.output_len();
    let images = d_x.chunks_exact_mut(pool.input_len()).zip(d_y.chunks_exact(out));
    for ((d_x, d_y), winners) in images.zip(winners.chunks_exact(out)) {
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

/// Elements that hold the winners of `out` outputs under a window of `area` elements: one byte each, if that is enough.
pub(crate) const fn winners_len(area: usize, out: usize) -> usize {
    if area <= 1 << u8::BITS { out.div_ceil(size_of::<f32>()) } else { out }
}

/// [`max`], which also stores the index of each maximum in its window: [`winners_len`] elements per image.
pub(crate) fn max_and_winners(pool: &Pool, x: &[f32], y: &mut [f32], winners: &mut [f32]) {
    if let Some(input) = pool.as_2x2() {
        max_2x2_and_winners(input, x, y, bytes_mut(winners));
    } else if pool.area() <= 1 << u8::BITS {
        max_u8(pool, x, y, bytes_mut(winners));
    } else {
        // Windows of so many elements are rare, and not worth code for several instruction sets.
        max_with(pool, x, y, words_mut(winners));
    }
}

/// The gradient of the input of [`max`]: that of each output is added to its winner.
pub(crate) fn max_backward(pool: &Pool, winners: &[f32], d_y: &[f32], d_x: &mut [f32]) {
    if let Some(input) = pool.as_2x2() {
        max_2x2_backward(input, bytes(winners), d_y, d_x);
    } else if pool.area() <= 1 << u8::BITS {
        max_u8_backward(pool, bytes(winners), d_y, d_x);
    } else {
        max_with_backward(pool, words(winners), d_y, d_x);
    }
}

fn bytes(values: &[f32]) -> &[u8] {
    // SAFETY: the same memory; bytes need no alignment, and any bits are valid bytes.
    unsafe { core::slice::from_raw_parts(values.as_ptr().cast(), size_of_val(values)) }
}

fn bytes_mut(values: &mut [f32]) -> &mut [u8] {
    // SAFETY: the same memory, uniquely borrowed; bytes need no alignment, and any bits are valid bytes and `f32`s.
    unsafe { core::slice::from_raw_parts_mut(values.as_mut_ptr().cast(), size_of_val(values)) }
}

fn words(values: &[f32]) -> &[u32] {
    // SAFETY: the same memory; size and alignment are those of `f32`, and any bits are valid integers.
    unsafe { core::slice::from_raw_parts(values.as_ptr().cast(), values.len()) }
}

fn words_mut(values: &mut [f32]) -> &mut [u32] {
    // SAFETY: the same memory, uniquely borrowed; size and alignment are those of `f32`, and any bits are valid
    // integers and `f32`s.
    unsafe { core::slice::from_raw_parts_mut(values.as_mut_ptr().cast(), values.len()) }
}
