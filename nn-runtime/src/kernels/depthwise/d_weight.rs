//! [`DWeight`]: the gradient of the weights.

use super::sizes::{ChannelBlock, Sizes, Strip};
use crate::kernels::isa::{Kernel, Lanes, load_row, store_row};

/// The gradient of the weights from one image, added to what there is.
pub(super) struct DWeight<'a> {
    /// Those of the output.
    pub(super) sizes: Sizes,
    pub(super) x: &'a [f32],
    pub(super) d_y: &'a [f32],
    pub(super) d_weight: *mut f32,
}

/// Elements of the kernel whose gradients are computed together: those of 3x3.
const TAPS: usize = 9;

// SAFETY of all functions below: `check` has found the lengths of the slices, and of `d_weight`, which nobody else
// has. A strip meets what lies on the image; there are as many channels as vectors and `tail` say.
impl Kernel for DWeight<'_> {
    #[inline(always)]
    unsafe fn run<L: Lanes>(&self) {
        // Two vectors for each element, where there are so many registers.
        let vectors = if const { L::COUNT == 16 } { 2 } else { 1 };
        for strip in self.sizes.strips() {
            for ChannelBlock { first, whole, tail } in self.sizes.channel_blocks::<L>(vectors) {
                // SAFETY: above.
                unsafe {
                    if const { L::COUNT == 16 } && whole {
                        self.strip::<L, 2, false>(&strip, first, tail);
                    } else {
                        self.strip::<L, 1, true>(&strip, first, tail);
                    }
                }
            }
        }
    }
}

impl DWeight<'_> {
    /// What some pixels add to the gradients of all elements that they meet, for `V` vectors of channels, the last one
    /// cut off at an edge.
    #[inline(always)]
    unsafe fn strip<L: Lanes, const V: usize, const EDGE: bool>(
        &self,
        strip: &Strip,
        channel: usize,
        tail: L::Tail,
    ) {
        for first in (0..strip.lines.len() * strip.met.len()).step_by(TAPS) {
            // SAFETY: above.
            unsafe { self.taps::<L, V, EDGE>(strip, first, channel, tail) };
        }
    }

    /// The same for `TAPS` elements, from the `first` that is met on. Behind the last one it is computed again: the same
    /// number goes to the same place.
    #[inline(always)]
    unsafe fn taps<L: Lanes, const V: usize, const EDGE: bool>(
        &self,
        strip: &Strip,
        first: usize,
        channel: usize,
        tail: L::Tail,
    ) {
        let Strip { row, ref pixels, ref lines, ref met } = *strip;
        let Sizes { channels, columns, .. } = self.sizes;
        let (mut i, mut j) = (lines.start + first / met.len(), met.start + first % met.len());
        // SAFETY: above.
        unsafe {
            let place = |i: usize, j: usize| {
                [self.sizes.read([row, pixels.start], [i, j]), self.sizes.weight(i, j)]
            };
            let [mut in_x, mut in_weight] = place(i, j);
            let mut x = [self.x.as_ptr().add(channel); TAPS];
            let mut d_weight = [self.d_weight.add(channel); TAPS];
            let mut sums = [[L::zero(); V]; TAPS];
            for t in 0..TAPS {
                (x[t], d_weight[t]) = (x[t].add(in_x), d_weight[t].add(in_weight));
                sums[t] = load_row::<L, V, EDGE>(d_weight[t], tail);
                if j + 1 < met.end {
                    j += 1;
                    in_x += columns.by_tap * channels;
                    in_weight += columns.tap_step * channels;
                } else if i + 1 < lines.end {
                    (i, j) = (i + 1, met.start);
                    [in_x, in_weight] = place(i, j);
                }
            }
            let by_pixel = columns.by_pixel * channels;
            let mut d_y = self.d_y.as_ptr().add(self.sizes.written(row, pixels.start) + channel);
            for p in 0..pixels.len() {
                let d = load_row::<L, V, EDGE>(d_y, tail);
                for t in 0..TAPS {
                    let x = load_row::<L, V, EDGE>(x[t].add(p * by_pixel), tail);
                    for v in 0..V {
                        sums[t][v] = L::mul_add(x[v], d[v], sums[t][v]);
                    }
                }
                // Not dereferenced behind the last pixel.
                d_y = d_y.wrapping_add(channels);
            }
            for t in 0..TAPS {
                store_row::<L, V, EDGE>(d_weight[t], &sums[t], tail);
            }
        }
    }
}
