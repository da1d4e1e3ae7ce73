//! [`DWeight`]: the gradient of the weights.

use super::sizes::{ChannelBlock, Sizes, Strip};
use crate::kernels::isa::{Kernel, Lanes, load_row, store_row};
use crate::kernels::product::LONG_SUM;

/// The gradient of the weights from one image, added to `d_weight`. The slices, and `d_weight`, which nothing else
/// accesses, have the lengths of the sizes.
pub(super) struct DWeight<'a> {
    /// The sizes of the output.
    pub(super) sizes: Sizes,
    pub(super) x: &'a [f32],
    pub(super) d_y: &'a [f32],
    pub(super) d_weight: *mut f32,
}

/// Kernel elements whose gradients are computed together: those of 3x3. Each pixel of the output gradient is loaded
/// once for all of them.
const TAPS: usize = 9;

impl Kernel for DWeight<'_> {
    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) {
        // Two vectors for each kernel element are 18 sums: they fit into the 32 registers of AVX-512 only.
        let vectors = if const { L::COUNT == 16 } { 2 } else { 1 };
        // Strips outside: the images are read line by line, from their beginning to their end.
        for strip in self.sizes.strips() {
            for block in self.sizes.channel_blocks(lanes, vectors) {
                // SAFETY: the strip is one of the image, and its pixels have the channels of the block.
                unsafe {
                    match block.vectors {
                        2 if block.whole => self.strip::<L, 2, false>(lanes, &strip, block),
                        2 => self.strip::<L, 2, true>(lanes, &strip, block),
                        _ => self.strip::<L, 1, true>(lanes, &strip, block),
                    }
                }
            }
        }
    }
}

impl DWeight<'_> {
    /// Adds what some pixels contribute to the gradients of all kernel elements that they meet, for `V` vectors of
    /// channels, the last one partial at an edge.
    ///
    /// # Safety
    /// The strip must be one of the image, and the block must have so many channels.
    #[inline(always)]
    unsafe fn strip<L: Lanes, const V: usize, const EDGE: bool>(
        &self,
        lanes: L,
        strip: &Strip,
        block: ChannelBlock<L>,
    ) {
        for first in (0..strip.lines.len() * strip.met.len()).step_by(TAPS) {
            // SAFETY: the strip meets more than `first` kernel elements.
            unsafe { self.taps::<L, V, EDGE>(lanes, strip, first, block) };
        }
    }

    /// The same for `TAPS` kernel elements, from the `first` that is met on. Those beyond the last repeat it: the same
    /// value is stored to the same address.
    ///
    /// # Safety
    /// As for [`Self::strip`], and the strip must meet more than `first` kernel elements.
    #[inline(always)]
    unsafe fn taps<L: Lanes, const V: usize, const EDGE: bool>(
        &self,
        lanes: L,
        strip: &Strip,
        first: usize,
        block: ChannelBlock<L>,
    ) {
        let ChannelBlock { first: channel, tail, .. } = block;
        let Strip { row, ref pixels, ref lines, ref met } = *strip;
        let Sizes { channels, rows, columns, .. } = self.sizes;
        let is_long = rows.pixels * columns.pixels > LONG_SUM;
        let (mut i, mut j) = (lines.start + first / met.len(), met.start + first % met.len());
        let offsets = |i: usize, j: usize| {
            [self.sizes.read([row, pixels.start], [i, j]), self.sizes.weight(i, j)]
        };
        // SAFETY: the slices have the lengths of the sizes; the pixels of a strip meet its lines and elements of the
        // kernel inside of the image; the channels of the block exist in each pixel and in the weights.
        unsafe {
            let [mut in_x, mut in_weight] = offsets(i, j);
            let mut x = [self.x.as_ptr().add(channel); TAPS];
            let mut d_weight = [self.d_weight.add(channel); TAPS];
            let mut sums = [[lanes.zero(); V]; TAPS];
            for t in 0..TAPS {
                (x[t], d_weight[t]) = (x[t].add(in_x), d_weight[t].add(in_weight));
                // Sums continue what earlier strips and images stored: one chain over all pixels in their order. Long
                // sums are sums of parts, each of which is that of a strip.
                if !is_long {
                    sums[t] = load_row::<L, V, EDGE>(lanes, d_weight[t], tail);
                }
                // Counts up instead of dividing. At the last element neither branch is taken, so that the rest repeats
                // it.
                if j + 1 < met.end {
                    j += 1;
                    in_x += columns.by_tap * channels;
                    in_weight += columns.tap_step * channels;
                } else if i + 1 < lines.end {
                    (i, j) = (i + 1, met.start);
                    [in_x, in_weight] = offsets(i, j);
                }
            }
            let by_pixel = columns.by_pixel * channels;
            let mut d_y = self.d_y.as_ptr().add(self.sizes.written(row, pixels.start) + channel);
            for p in 0..pixels.len() {
                let d = load_row::<L, V, EDGE>(lanes, d_y, tail);
                for t in 0..TAPS {
                    // Neighbouring elements of the kernel read overlapping pixels, which the first-level cache holds.
                    let x = load_row::<L, V, EDGE>(lanes, x[t].add(p * by_pixel), tail);
                    for v in 0..V {
                        sums[t][v] = lanes.mul_add(x[v], d[v], sums[t][v]);
                    }
                }
                // Wrapping: after the last pixel it may be outside of `d_y`, where it is not dereferenced.
                d_y = d_y.wrapping_add(channels);
            }
            if is_long {
                // Before any is stored: the last ones may be repeated.
                for t in 0..TAPS {
                    let before = load_row::<L, V, EDGE>(lanes, d_weight[t], tail);
                    for v in 0..V {
                        sums[t][v] = lanes.add(sums[t][v], before[v]);
                    }
                }
            }
            for t in 0..TAPS {
                store_row::<L, V, EDGE>(lanes, d_weight[t], &sums[t], tail);
            }
        }
    }
}
