//! A convolution followed by max pooling, without the memory of what is between them.

use super::axis::Axis;
use super::conv_args::ConvArgs;
use super::conv_pass::{ConvPass, ImageStrides};
use super::geometry::Geometry;
use super::isa::Isa;
use super::pool::{self, Pool};
use super::pool_2x2::max_2x2;
use super::product::Init;
#[cfg(feature = "std")]
use super::split::{by_parts, splits_lines};
use core::ops::Range;
use unrolled_shape::STRIP;

/// The maximum under each window of size `window` in the convolution of each image, in one group. Windows do not
/// overlap.
///
/// The same bits as `conv2d` followed by a pool. Pixels under no window are not computed, and the
/// others are computed strip by strip and never leave the first-level cache.
///
/// # Panics
/// If the lengths do not match, there are several groups, or a window has more than `STRIP` elements.
pub fn conv2d_max_pool(isa: Isa, g: &Geometry, window: [usize; 2], args: ConvArgs<'_>) {
    assert!(g.groups == 1, "a convolution in one group");
    let fused = ConvPool { isa, g, window, weight: args.weight, bias: args.bias };
    let (lines, ConvArgs { x, y, .. }) = (g.output[0] / window[0], args);
    // No window fits: `chunks_exact_mut` refuses chunks of 0 elements.
    if lines * fused.line() == 0 {
        return;
    }
    #[cfg(feature = "std")]
    if x.len() == g.input_len() && splits_lines([g]) {
        assert!(y.len() == lines * fused.line(), "an image of both");
        return by_parts(lines, y, |lines, y| fused.images::<STRIP>(lines, x, y));
    }
    // A microcontroller has tens of kilobytes of memory: 4 kB, unless a window needs more.
    if cfg!(target_os = "none") && window[0] * window[1] * g.filters <= SMALL_STRIP {
        fused.images::<SMALL_STRIP>(0..lines, x, y);
    } else {
        fused.images::<STRIP>(0..lines, x, y);
    }
}

/// Elements of a strip on a small stack.
const SMALL_STRIP: usize = STRIP / 4;

/// A convolution followed by a pool.
struct ConvPool<'a> {
    isa: Isa,
    g: &'a Geometry,
    window: [usize; 2],
    weight: &'a [f32],
    bias: &'a [f32],
}

impl ConvPool<'_> {
    /// Pixels in a line of the output.
    const fn width(&self) -> usize {
        self.g.output[1] / self.window[1]
    }

    /// Elements of a line of the output.
    const fn line(&self) -> usize {
        self.width() * self.g.filters
    }

    /// Computes some lines of the output of each image.
    ///
    /// Not inlined, so that only the stack of the strip in use is taken.
    #[inline(never)]
    fn images<const LEN: usize>(&self, lines: Range<usize>, x: &[f32], y: &mut [f32]) {
        // On the stack: at most 16 kB, half of a first-level cache. It is reused for all strips, so that it stays there.
        let mut strip = [0.0; LEN];
        let len = lines.len() * self.line();
        for (x, y) in x.chunks_exact(self.g.input_len()).zip(y.chunks_exact_mut(len)) {
            self.image(lines.clone(), x, y, &mut strip);
        }
    }

    /// Computes some lines of the output of one image.
    fn image(&self, lines: Range<usize>, x: &[f32], y: &mut [f32], strip: &mut [f32]) {
        let (filters, width) = (self.g.filters, self.width());
        // The windows whose pixels fit into a strip.
        let fitting = strip.len() / (self.window[0] * self.window[1] * filters);
        // At least one window fits, because the rule of `MaxPool2d` fuses no larger ones.
        let columns = width.min(fitting);
        // Whole lines of windows, or a part of one.
        let rows = (fitting / width).clamp(1, lines.len());
        let mut rest = y;
        for row in lines.clone().step_by(rows) {
            for column in (0..width).step_by(columns) {
                let ranges = [row..lines.end.min(row + rows), column..width.min(column + columns)];
                // Strips are whole lines, or parts of a single line from left to right: what they write is contiguous.
                let (y, after) = rest.split_at_mut(ranges[0].len() * ranges[1].len() * filters);
                self.strip(ranges, x, y, strip);
                rest = after;
            }
        }
    }

    /// Computes some pixels of the output, rows by columns.
    fn strip(&self, output: [Range<usize>; 2], x: &[f32], y: &mut [f32], strip: &mut [f32]) {
        let Self { isa, g, window, weight, bias } = *self;
        // The pixels under the windows of this strip only. Their bits do not depend on it, since each is a sum of its
        // own.
        let axes = [0, 1].map(|axis| {
            let Range { start, end } = output[axis];
            Axis::forward(g, axis).some(start * window[axis]..end * window[axis])
        });
        let written = ImageStrides::new([axes[0].pixels, axes[1].pixels], g.filters);
        let pass = ConvPass { written, init: Init::bias(bias), ..ConvPass::forward(isa, g) };
        let strip = &mut strip[..axes[0].pixels * axes[1].pixels * g.filters];
        pass.compute(&axes, ConvArgs { x, weight, bias: &[], y: &mut *strip });
        if let [2, 2] = window {
            // Without the sizes of a pool, which would have to be compared with those of this one for each strip.
            let size = [axes[0].pixels, axes[1].pixels, g.filters];
            return max_2x2(isa, size, strip, y);
        }
        let pool = Pool::side_by_side(window, output.map(|range| range.len()), g.filters);
        pool::max(isa, &pool, strip, y);
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{any_convolution, available, whole, written};
    use super::super::{conv2d, reference};
    use super::*;
    use crate::layers::testing::random;
    use unrolled_shape::Shape;
    use unrolled_shape::rules::window::{Over, Window};

    /// Any convolution in one group, also one whose strips are parts of a line of windows, and any window on
    /// its output.
    fn any(seed: u64) -> (Geometry, [usize; 2]) {
        let mut g = any_convolution(seed);
        g.groups = 1;
        if seed.is_multiple_of(5) {
            g.filters = 300;
        }
        let sides = [1, 2, 3].map(|side| side + seed as usize);
        let fitting = |axis: usize| 1 + sides[axis] % 3.min(g.output[axis]);
        (g, [fitting(0), fitting(1)])
    }

    /// The pool over the whole output of the convolution.
    fn whole_pool(kernel: [usize; 2], g: &Geometry) -> Pool {
        let whole = [1, kernel[0], kernel[1]];
        let window = Window::without_padding(Over::Images, whole, whole, [1; 3]);
        let [height, width] = g.output;
        let output = Shape::new(&[height / kernel[0], width / kernel[1], g.filters]);
        Pool::new(window, Shape::new(&[height, width, g.filters]), output)
    }

    #[test]
    fn conv2d_max_pool_agrees_with_its_twin() {
        for isa in available() {
            for seed in 0..400 {
                let (g, window) = any(seed);
                let n = 1 + seed as usize % 3;
                let (x, weight) = (whole(n * g.input_len(), 1), whole(g.weight_len(), 2));
                let len = n * (g.output[0] / window[0]) * (g.output[1] / window[1]) * g.filters;
                for bias in [whole(g.filters, 3), vec![]] {
                    let before = vec![f32::NAN; len];
                    let y = written(&before, |y| {
                        let (x, weight, bias) = (&x, &weight, &bias);
                        conv2d_max_pool(isa, &g, window, ConvArgs { x, weight, bias, y });
                    });
                    let mut twin = before.clone();
                    let (x, weight, bias, y2) = (&x, &weight, &bias, &mut twin);
                    reference::conv2d_max_pool(&g, window, ConvArgs { x, weight, bias, y: y2 });
                    assert_eq!(y, twin, "{isa:?}: {window:?} after {g:?}");
                    if window[0] * window[1] * g.filters <= SMALL_STRIP {
                        let fused = ConvPool { isa, g: &g, window, weight, bias };
                        let lines = 0..g.output[0] / window[0];
                        let y = written(&before, |y| fused.images::<SMALL_STRIP>(lines, x, y));
                        assert_eq!(y, twin, "{isa:?}, small strips: {window:?} after {g:?}");
                    }
                }
            }
        }
    }

    /// Values whose sums are not exact, NaN among them.
    #[test]
    fn gives_the_bits_of_a_convolution_and_a_pool() {
        for isa in available() {
            for seed in 0..100 {
                let (g, window) = any(seed);
                let (mut x, weight) = (random(2 * g.input_len(), 1), random(g.weight_len(), 2));
                x[seed as usize % (2 * g.input_len())] = f32::NAN;
                let mut full = vec![0.0; 2 * g.output_len()];
                let (x, weight) = (&x, &weight);
                conv2d(isa, &g, ConvArgs { x, weight, bias: &[], y: &mut full });
                let pool = whole_pool(window, &g);
                let mut expected = vec![0.0; 2 * pool.output_len()];
                pool::max(isa, &pool, &full, &mut expected);
                let mut y = vec![0.0; expected.len()];
                conv2d_max_pool(isa, &g, window, ConvArgs { x, weight, bias: &[], y: &mut y });
                let bits = |y: Vec<f32>| y.into_iter().map(f32::to_bits).collect::<Vec<_>>();
                assert_eq!(bits(y), bits(expected), "{isa:?}: {window:?} after {g:?}");
            }
        }
    }
}
