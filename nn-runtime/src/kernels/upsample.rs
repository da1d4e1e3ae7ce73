//! Upsampling of images `[H, W, C]` by integer factors.

use super::dispatch::dispatch;
use unrolled_shape::Shape;

/// The sizes of upsampling.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Upsample {
    /// Height and width of the input.
    pub(crate) input: [usize; 2],
    /// Factors of height and width.
    pub(crate) factor: [usize; 2],
    /// Elements of a pixel.
    pub(crate) channels: usize,
    /// Whether [`bilinear`] keeps the centres of the corner pixels in place.
    pub(crate) align_corners: bool,
}

impl Upsample {
    /// The upsampling of `[H, W, C]`.
    pub(crate) const fn new(input: Shape, factor: [usize; 2], align_corners: bool) -> Self {
        let [height, width] = [input.dim(0), input.dim(1)];
        Self { input: [height, width], factor, channels: input.dim(2), align_corners }
    }

    const fn input_len(&self) -> usize {
        self.input[0] * self.input[1] * self.channels
    }

    const fn output_len(&self) -> usize {
        self.input_len() * self.factor[0] * self.factor[1]
    }

    /// Elements of a line of the output.
    const fn line(&self) -> usize {
        self.input[1] * self.factor[1] * self.channels
    }

    /// The input lines or columns on both sides of output line or column `i`.
    #[inline(always)]
    fn between(&self, axis: usize, i: usize) -> Between {
        let from = self.input[axis];
        Between::new(i, from, from * self.factor[axis], self.align_corners)
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

/// A position between two input pixels.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Between {
    pub(crate) first: usize,
    pub(crate) second: usize,
    /// The weight of the second.
    pub(crate) share: f32,
}

impl Between {
    /// The position of pixel `i` of `to` among `from` pixels. Pixels are squares: the centre of the first one is half a
    /// pixel from the edge, unless the centres of first and last pixel are kept in place.
    #[inline(always)]
    pub(crate) fn new(i: usize, from: usize, to: usize, align_corners: bool) -> Self {
        let position = if !align_corners {
            // Before the centre of the first pixel there is nothing to mix with: clamped to it, as in PyTorch.
            ((i as f32 + 0.5) * from as f32 / to as f32 - 0.5).max(0.0)
        } else if to > 1 {
            i as f32 * (from - 1) as f32 / (to - 1) as f32
        } else {
            0.0
        };
        // At the last pixel `second` is `first`; its share does not matter.
        let first = (position as usize).min(from - 1);
        Self { first, second: (first + 1).min(from - 1), share: position - first as f32 }
    }
}

dispatch! {
    /// Each output pixel is a copy of the input pixel that contains it.
    pub(crate) fn nearest(g: &Upsample, x: &[f32], y: &mut [f32]) {
        let (old_line, line) = (g.input[1] * g.channels, g.line());
        for (x, y) in x.chunks_exact(old_line).zip(y.chunks_exact_mut(line * g.factor[0])) {
            let (first, others) = y.split_at_mut(line);
            let pixels = first.chunks_exact_mut(g.channels * g.factor[1]);
            for (x, y) in x.chunks_exact(g.channels).zip(pixels) {
                y.chunks_exact_mut(g.channels).for_each(|y| y.copy_from_slice(x));
            }
            // Lines are computed once and copied.
            others.chunks_exact_mut(line).for_each(|other| other.copy_from_slice(first));
        }
    }

    /// The gradient of the input of [`nearest`].
    pub(crate) fn nearest_backward(g: &Upsample, d_y: &[f32], d_x: &mut [f32]) {
        let (old_line, line) = (g.input[1] * g.channels, g.line());
        // Several output pixels read an input pixel, so that their gradients are added up.
        d_x.fill(0.0);
        let lines = d_y.chunks_exact(line * g.factor[0]);
        for (d_x, d_y) in d_x.chunks_exact_mut(old_line).zip(lines) {
            for d_y in d_y.chunks_exact(line) {
                let pixels = d_y.chunks_exact(g.channels * g.factor[1]);
                for (d_x, d_y) in d_x.chunks_exact_mut(g.channels).zip(pixels) {
                    for d_y in d_y.chunks_exact(g.channels) {
                        d_x.iter_mut().zip(d_y).for_each(|(d_x, d_y)| *d_x += d_y);
                    }
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
}
