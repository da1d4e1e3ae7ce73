//! [`Axis`]: a kernel along one axis of an image, forward and backward.

use super::geometry::Geometry;
use core::ops::Range;

/// Pixels of one image that are computed from those of another one, along one axis: pixel `i` meets kernel element `k`
/// at position `begin + i * by_pixel + k * by_tap` of the image that is read, if that is inside of it.
///
/// In the backward pass the kernel is flipped. There a pixel meets only every `stride`-th element, and which ones
/// depends on its position modulo the stride: pixels that meet the same elements are one axis.
#[derive(Clone, Copy, Debug)]
pub(super) struct Axis {
    /// Number of pixels that are computed.
    pub(super) pixels: usize,
    /// The position of the first pixel in its image.
    pub(super) first: usize,
    /// The distance to the next pixel.
    pub(super) step: usize,
    /// Number of kernel elements that the pixels may meet.
    pub(super) taps: usize,
    /// The first of these elements in the weights.
    pub(super) tap: usize,
    /// The distance to the next element in the weights.
    pub(super) tap_step: usize,
    /// The size of the image that is read.
    pub(super) size: usize,
    /// The position at which the first pixel meets the first kernel element; negative on the padding.
    pub(super) begin: isize,
    /// The distance from what one pixel meets to what the next one does.
    pub(super) by_pixel: usize,
    /// The distance between neighbouring kernel elements.
    pub(super) by_tap: usize,
}

/// Neighbouring pixels that meet the same kernel elements.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Band {
    pub(super) pixels: Range<usize>,
    pub(super) met: Range<usize>,
}

impl Axis {
    /// Output pixels, computed from the input.
    pub(super) fn forward(g: &Geometry, axis: usize) -> Self {
        Self {
            pixels: g.output[axis],
            first: 0,
            step: 1,
            taps: g.kernel[axis],
            tap: 0,
            tap_step: 1,
            size: g.input[axis],
            begin: -(g.padding[axis][0] as isize),
            by_pixel: g.stride[axis],
            by_tap: g.dilation[axis],
        }
    }

    /// Input pixels `first`, `first + stride`, and so on, computed from the output gradient. `first` is below the
    /// stride.
    pub(super) fn backward(g: &Geometry, axis: usize, first: usize) -> Self {
        let (stride, dilation) = (g.stride[axis], g.dilation[axis]);
        let position = first + g.padding[axis][0];
        // Input pixel `p` meets kernel element `i` if `p + padding - i * dilation` is divisible by the stride. These
        // elements are equally far apart (stride / gcd(stride, dilation)), so that the first two determine all of them.
        let mut meeting =
            (0..g.kernel[axis]).filter(|i| (i * dilation) % stride == position % stride);
        let least = meeting.next();
        let second = meeting.next();
        let taps = usize::from(least.is_some()) + usize::from(second.is_some()) + meeting.count();
        let least = least.unwrap_or(0);
        let tap_step = second.map_or(1, |second| second - least);
        // A convolution of the output gradient with the flipped kernel: the last element that is met comes first.
        let last = least + taps.saturating_sub(1) * tap_step;
        Self {
            pixels: g.input[axis].saturating_sub(first).div_ceil(stride),
            first,
            step: stride,
            taps,
            tap: g.kernel[axis] - 1 - last,
            tap_step,
            size: g.output[axis],
            // Divisible, unless the pixels meet no element at all; and so is the distance between elements below.
            begin: (position as isize - (last * dilation) as isize) / stride as isize,
            by_pixel: 1,
            by_tap: (tap_step * dilation / stride).max(1),
        }
    }

    /// Some of the pixels. In the image that is written they are the first ones.
    pub(super) fn some(self, pixels: Range<usize>) -> Self {
        let begin = self.begin + (pixels.start * self.by_pixel) as isize;
        Self { pixels: pixels.len(), first: 0, begin, ..self }
    }

    /// Some of the kernel elements.
    pub(super) fn of_taps(self, taps: Range<usize>) -> Self {
        let begin = self.begin + (taps.start * self.by_tap) as isize;
        let tap = self.tap + taps.start * self.tap_step;
        Self { taps: taps.len(), tap, begin, ..self }
    }

    /// The axis with pixels and kernel elements exchanged, for the gradient of the weights.
    pub(super) fn transposed(self) -> Self {
        // Each weight is multiplied with the output gradient of every pixel: weights are the rows of that product, and
        // pixels its terms.
        let (pixels, taps) = (self.taps, self.pixels);
        Self { pixels, taps, by_pixel: self.by_tap, by_tap: self.by_pixel, ..self }
    }

    /// The position at which pixel `i` meets kernel element `k`.
    #[inline(always)]
    pub(super) fn position(&self, i: usize, k: usize) -> usize {
        // Not negative, and below `size`, for the elements that `met` yields. Kernels that use raw pointers rely on it.
        (self.begin + (i * self.by_pixel + k * self.by_tap) as isize) as usize
    }

    /// The kernel elements that pixel `i` meets inside of the image.
    #[inline(always)]
    pub(super) fn met(&self, i: usize) -> Range<usize> {
        let begin = self.begin + (i * self.by_pixel) as isize;
        // The first `k` with `begin + k * by_tap >= 0`, and the first one for which it is `size` or more.
        let first = begin.min(0).unsigned_abs().div_ceil(self.by_tap);
        let end = (self.size as isize - begin).max(0).unsigned_abs().div_ceil(self.by_tap);
        let end = end.min(self.taps);
        // No element, if all positions are on the padding.
        first.min(end)..end
    }

    /// The pixels for which the whole kernel is inside of the image.
    pub(super) fn inner(&self) -> Range<usize> {
        let reach = (self.taps.saturating_sub(1) * self.by_tap) as isize;
        let first = self.begin.min(0).unsigned_abs().div_ceil(self.by_pixel).min(self.pixels);
        let end = (self.size as isize - reach - self.begin).max(0).unsigned_abs();
        first..end.div_ceil(self.by_pixel).min(self.pixels).max(first)
    }

    /// All pixels, in as few bands as possible.
    pub(super) fn bands(self) -> impl Iterator<Item = Band> {
        // What pixels meet moves in one direction along the axis, so that pixels with the same elements are neighbours.
        let inner = self.inner();
        let mut first = 0;
        core::iter::from_fn(move || {
            if first == self.pixels {
                return None;
            }
            let met = self.met(first);
            // Checking each of the inner pixels would take longer than some small products.
            let end = if inner.contains(&first) {
                inner.end
            } else {
                first + (first..self.pixels).take_while(|i| self.met(*i) == met).count()
            };
            let band = Band { pixels: first..end, met };
            first = end;
            Some(band)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::geometry::Depth;

    fn geometry(input: usize, kernel: usize, stride: usize, padding: usize) -> Geometry {
        let output = (input + 2 * padding - kernel) / stride + 1;
        Geometry {
            input: [input; 2],
            channels: 1,
            output: [output; 2],
            filters: 1,
            kernel: [kernel; 2],
            stride: [stride; 2],
            padding: [[padding; 2]; 2],
            dilation: [1; 2],
            groups: 1,
            depth: Depth::FLAT,
        }
    }

    #[test]
    fn a_padded_image_has_an_edge_on_each_side() {
        let axis = Axis::forward(&geometry(8, 3, 1, 1), 0);
        let bands: Vec<_> = axis.bands().map(|band| (band.pixels, band.met)).collect();
        assert_eq!(bands, [(0..1, 1..3), (1..7, 0..3), (7..8, 0..2)]);
    }

    #[test]
    fn without_padding_there_is_one_band() {
        let axis = Axis::forward(&geometry(9, 3, 2, 0), 0);
        assert_eq!(axis.bands().collect::<Vec<_>>(), [Band { pixels: 0..4, met: 0..3 }]);
        let taps: Vec<_> = axis.transposed().bands().collect();
        assert_eq!(taps, [Band { pixels: 0..3, met: 0..4 }]);
    }

    /// Of 8 pixels with stride 2, the even ones meet the middle of the kernel and the odd ones both ends.
    #[test]
    fn backward_pixels_are_parted_by_the_stride() {
        let g = geometry(8, 3, 2, 1);
        let [even, odd] = [0, 1].map(|first| Axis::backward(&g, 0, first));
        assert_eq!((even.pixels, even.taps, even.tap, even.position(3, 0)), (4, 1, 1, 3));
        assert_eq!((odd.pixels, odd.taps, odd.tap_step, odd.position(0, 0)), (4, 2, 2, 0));
        let bands: Vec<_> = odd.bands().map(|band| (band.pixels, band.met)).collect();
        assert_eq!(bands, [(0..3, 0..2), (3..4, 0..1)]);
    }

    /// Every pixel of every axis, one by one.
    #[test]
    fn bands_are_what_their_pixels_meet() {
        for input in 1..9 {
            for (kernel, stride, padding) in [(1, 1, 0), (3, 1, 1), (3, 2, 1), (4, 3, 2), (1, 2, 2)]
            {
                if input + 2 * padding < kernel {
                    continue;
                }
                let g = geometry(input, kernel, stride, padding);
                let backward = (0..stride).map(|first| Axis::backward(&g, 0, first));
                for axis in backward.chain([Axis::forward(&g, 0)]) {
                    check_bands(&axis);
                    check_bands(&axis.transposed());
                }
            }
        }
    }

    fn check_bands(axis: &Axis) {
        let mut next = 0;
        for band in axis.bands() {
            assert_eq!(band.pixels.start, next, "{axis:?}");
            next = band.pixels.end;
            for i in band.pixels {
                let on_it = |k: &usize| {
                    let position = axis.begin + (i * axis.by_pixel + k * axis.by_tap) as isize;
                    (0..axis.size as isize).contains(&position)
                };
                let met: Vec<_> = (0..axis.taps).filter(on_it).collect();
                assert_eq!(band.met.clone().collect::<Vec<_>>(), met, "{axis:?}: {i}");
            }
        }
        assert_eq!(next, axis.pixels, "{axis:?}");
    }
}
