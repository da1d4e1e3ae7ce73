//! Images `[H, W, C]` of another size.

use super::dispatch::dispatch;
use unrolled_shape::Shape;

/// The sizes of upsampling.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Upsample {
    /// Height and width of the input.
    pub(crate) input: [usize; 2],
    /// Height and width of the output.
    pub(crate) output: [usize; 2],
    /// Elements of a pixel.
    pub(crate) channels: usize,
    /// Whether interpolation keeps the centres of the corner pixels in place.
    pub(crate) align_corners: bool,
}

impl Upsample {
    /// The upsampling of `[H, W, C]` to `[H', W', C]`.
    pub(crate) const fn new(input: Shape, output: Shape, align_corners: bool) -> Self {
        let [from, to] = [[input.dim(0), input.dim(1)], [output.dim(0), output.dim(1)]];
        Self { input: from, output: to, channels: input.dim(2), align_corners }
    }

    const fn input_len(&self) -> usize {
        self.input[0] * self.input[1] * self.channels
    }

    const fn output_len(&self) -> usize {
        self.output[0] * self.line()
    }

    /// Elements of a line of the output.
    const fn line(&self) -> usize {
        self.output[1] * self.channels
    }

    /// The input line or column that contains output line or column `i`.
    #[inline(always)]
    fn nearest(&self, axis: usize, i: usize) -> usize {
        i * self.input[axis] / self.output[axis]
    }

    /// The input lines or columns that output line or column `i` is interpolated from, and their weights.
    #[inline(always)]
    fn cubic(&self, axis: usize, i: usize) -> [(usize, f32); 4] {
        let (from, to) = (self.input[axis], self.output[axis]);
        let position = position(i, from, to, self.align_corners);
        // Positions are above -1; `f32::floor` needs `std`.
        let floor = if position < 0.0 { -1.0 } else { position as usize as f32 };
        let share = position - floor;
        let at = |tap: f32| (floor + tap).clamp(0.0, (from - 1) as f32) as usize;
        // The distances of the four centres from the position.
        [
            (at(-1.0), far(share + 1.0)),
            (at(0.0), near(share)),
            (at(1.0), near(1.0 - share)),
            (at(2.0), far(2.0 - share)),
        ]
    }

    /// The input lines or columns on both sides of output line or column `i`.
    #[inline(always)]
    fn between(&self, axis: usize, i: usize) -> Between {
        let from = self.input[axis];
        Between::new(i, from, self.output[axis], self.align_corners)
    }

    /// The offsets and weights of the sixteen input pixels around an output pixel.
    #[inline(always)]
    fn around_cubic(&self, row: usize, column: usize) -> [(usize, f32); 16] {
        let (rows, columns) = (self.cubic(0, row), self.cubic(1, column));
        core::array::from_fn(|tap| {
            let ((row, below), (column, right)) = (rows[tap / 4], columns[tap % 4]);
            ((row * self.input[1] + column) * self.channels, below * right)
        })
    }

    /// The offsets and weights of the four input pixels around an output pixel.
    #[inline(always)]
    fn around(&self, row: Between, column: Between) -> [(usize, f32); 4] {
        let at = |row: usize, column: usize| (row * self.input[1] + column) * self.channels;
        let (below, right) = (row.share, column.share);
        let (above, left) = (1.0 - below, 1.0 - right);
        [
            (at(row.first, column.first), above * left),
            (at(row.first, column.second), above * right),
            (at(row.second, column.first), below * left),
            (at(row.second, column.second), below * right),
        ]
    }
}

/// The position of pixel `i` of `to` among `from` pixels. Pixels are squares: the centre of the first one is half a
/// pixel from the edge, unless the centres of first and last pixel are kept in place.
#[inline(always)]
fn position(i: usize, from: usize, to: usize, align_corners: bool) -> f32 {
    if !align_corners {
        (i as f32 + 0.5) * from as f32 / to as f32 - 0.5
    } else if to > 1 {
        i as f32 * (from - 1) as f32 / (to - 1) as f32
    } else {
        0.0
    }
}

/// The parameter of cubic convolution (Keys, 1981), that of PyTorch.
const A: f32 = -0.75;

/// The weight of a pixel whose centre is up to 1 away.
#[inline(always)]
fn near(x: f32) -> f32 {
    ((A + 2.0) * x - (A + 3.0)) * x * x + 1.0
}

/// The weight of a pixel whose centre is from 1 to 2 away.
#[inline(always)]
fn far(x: f32) -> f32 {
    ((A * x - 5.0 * A) * x + 8.0 * A) * x - 4.0 * A
}

/// A position between two input pixels.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Between {
    pub(crate) first: usize,
    pub(crate) second: usize,
    /// The weight of the second.
    pub(crate) share: f32,
}

impl Between {
    /// The position of pixel `i` of `to` among `from` pixels.
    #[inline(always)]
    pub(crate) fn new(i: usize, from: usize, to: usize, align_corners: bool) -> Self {
        // Before the centre of the first pixel there is nothing to mix with: clamped to it, as in PyTorch.
        let position = position(i, from, to, align_corners).max(0.0);
        // At the last pixel `second` is `first`; its share does not matter.
        let first = (position as usize).min(from - 1);
        Self { first, second: (first + 1).min(from - 1), share: position - first as f32 }
    }
}

dispatch! {
    /// Each output pixel is a copy of the input pixel that contains it.
    pub(crate) fn nearest(g: &Upsample, x: &[f32], y: &mut [f32]) {
        let (old_line, line) = (g.input[1] * g.channels, g.line());
        for (x, y) in x.chunks_exact(g.input_len()).zip(y.chunks_exact_mut(g.output_len())) {
            for row in 0..g.output[0] {
                let (before, y) = y.split_at_mut(row * line);
                let from = g.nearest(0, row);
                // Lines are computed once and copied.
                if row > 0 && g.nearest(0, row - 1) == from {
                    y[..line].copy_from_slice(&before[(row - 1) * line..]);
                    continue;
                }
                let x = &x[from * old_line..][..old_line];
                for (column, y) in y[..line].chunks_exact_mut(g.channels).enumerate() {
                    y.copy_from_slice(&x[g.nearest(1, column) * g.channels..][..g.channels]);
                }
            }
        }
    }

    /// The gradient of the input of [`nearest`].
    pub(crate) fn nearest_backward(g: &Upsample, d_y: &[f32], d_x: &mut [f32]) {
        let old_line = g.input[1] * g.channels;
        // Several output pixels may read an input pixel, so that their gradients are added up.
        d_x.fill(0.0);
        for (d_x, d_y) in d_x.chunks_exact_mut(g.input_len()).zip(d_y.chunks_exact(g.output_len())) {
            for (row, d_y) in d_y.chunks_exact(g.line()).enumerate() {
                let d_x = &mut d_x[g.nearest(0, row) * old_line..][..old_line];
                for (column, d_y) in d_y.chunks_exact(g.channels).enumerate() {
                    let d_x = &mut d_x[g.nearest(1, column) * g.channels..][..g.channels];
                    d_x.iter_mut().zip(d_y).for_each(|(d_x, d_y)| *d_x += d_y);
                }
            }
        }
    }

    /// Each output pixel is a weighted sum of four input pixels.
    pub(crate) fn bilinear(g: &Upsample, x: &[f32], y: &mut [f32]) {
        for (x, y) in x.chunks_exact(g.input_len()).zip(y.chunks_exact_mut(g.output_len())) {
            for (row, y) in y.chunks_exact_mut(g.line()).enumerate() {
                let row = g.between(0, row);
                for (column, y) in y.chunks_exact_mut(g.channels).enumerate() {
                    let [a, b, c, d] = g.around(row, g.between(1, column));
                    let of = |(at, _): (usize, f32)| &x[at..at + y.len()];
                    let (xa, xb, xc, xd) = (of(a), of(b), of(c), of(d));
                    for i in 0..y.len() {
                        // By pairs: two sums that do not wait for each other.
                        y[i] = (xa[i] * a.1 + xb[i] * b.1) + (xc[i] * c.1 + xd[i] * d.1);
                    }
                }
            }
        }
    }

    /// The gradient of the input of [`bilinear`].
    pub(crate) fn bilinear_backward(g: &Upsample, d_y: &[f32], d_x: &mut [f32]) {
        d_x.fill(0.0);
        for (d_x, d_y) in d_x.chunks_exact_mut(g.input_len()).zip(d_y.chunks_exact(g.output_len())) {
            for (row, d_y) in d_y.chunks_exact(g.line()).enumerate() {
                let row = g.between(0, row);
                for (column, d_y) in d_y.chunks_exact(g.channels).enumerate() {
                    for (at, share) in g.around(row, g.between(1, column)) {
                        let d_x = &mut d_x[at..at + d_y.len()];
                        d_x.iter_mut().zip(d_y).for_each(|(d_x, d_y)| *d_x += share * d_y);
                    }
                }
            }
        }
    }

    /// Each output pixel is a weighted sum of sixteen input pixels.
    pub(crate) fn bicubic(g: &Upsample, x: &[f32], y: &mut [f32]) {
        for (x, y) in x.chunks_exact(g.input_len()).zip(y.chunks_exact_mut(g.output_len())) {
            y.fill(0.0);
            for (row, y) in y.chunks_exact_mut(g.line()).enumerate() {
                for (column, y) in y.chunks_exact_mut(g.channels).enumerate() {
                    for (at, share) in g.around_cubic(row, column) {
                        y.iter_mut().zip(&x[at..]).for_each(|(y, x)| *y += share * x);
                    }
                }
            }
        }
    }

    /// The gradient of the input of [`bicubic`].
    pub(crate) fn bicubic_backward(g: &Upsample, d_y: &[f32], d_x: &mut [f32]) {
        d_x.fill(0.0);
        for (d_x, d_y) in d_x.chunks_exact_mut(g.input_len()).zip(d_y.chunks_exact(g.output_len())) {
            for (row, d_y) in d_y.chunks_exact(g.line()).enumerate() {
                for (column, d_y) in d_y.chunks_exact(g.channels).enumerate() {
                    for (at, share) in g.around_cubic(row, column) {
                        d_x[at..].iter_mut().zip(d_y).for_each(|(d_x, d_y)| *d_x += share * d_y);
                    }
                }
            }
        }
    }
}
