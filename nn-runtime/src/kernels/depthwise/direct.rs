//! [`Direct`]: the convolution of a image by any kernel, read where it stands.

#![expect(clippy::needless_range_loop, reason = "indices below constants: what becomes registers")]

use super::sizes::{ChannelBlock, Sizes, Strip};
use crate::kernels::isa::{Kernel, Lanes, load_row, store_row};

/// Vectors of channels in a tile: what is read of a pixel is whole cache lines, side by side.
const VECTORS: usize = 4;

/// One image forward.
pub(super) struct Direct<'a> {
    pub(super) sizes: Sizes,
    pub(super) x: &'a [f32],
    pub(super) weight: &'a [f32],
    pub(super) bias: &'a [f32],
    pub(super) y: *mut f32,
}

// SAFETY of all functions below: `check` has found the lengths of the slices, and of `y`, which nobody else has. A strip
// meets what lies on the image; there are as many channels as vectors and `tail` say.
impl Kernel for Direct<'_> {
    #[inline(always)]
    unsafe fn run<L: Lanes>(&self) {
        for strip in self.sizes.strips() {
            for ChannelBlock { first, whole, tail } in self.sizes.channel_blocks::<L>(VECTORS) {
                // SAFETY: above.
                unsafe {
                    if whole {
                        self.strip::<L, VECTORS, false>(&strip, first, tail);
                    } else {
                        self.strip::<L, 1, true>(&strip, first, tail);
                    }
                }
            }
        }
    }
}

impl Direct<'_> {
    /// `V` vectors of channels, the last one cut off at an edge, in tiles of as many pixels as registers can hold.
    #[inline(always)]
    unsafe fn strip<L: Lanes, const V: usize, const EDGE: bool>(
        &self,
        strip: &Strip,
        channel: usize,
        tail: L::Tail,
    ) {
        let most = if const { L::COUNT == 16 } { 4 } else { 2 };
        let mut column = strip.pixels.start;
        while column < strip.pixels.end {
            // SAFETY: above.
            unsafe {
                if strip.pixels.end - column < most {
                    self.tile::<L, 1, V, EDGE>(strip, column, channel, tail);
                    column += 1;
                } else {
                    if const { L::COUNT == 16 } {
                        self.tile::<L, 4, V, EDGE>(strip, column, channel, tail);
                    } else {
                        self.tile::<L, 2, V, EDGE>(strip, column, channel, tail);
                    }
                    column += most;
                }
            }
        }
    }

    /// `P` pixels from `column` on.
    #[inline(always)]
    unsafe fn tile<L: Lanes, const P: usize, const V: usize, const EDGE: bool>(
        &self,
        strip: &Strip,
        column: usize,
        channel: usize,
        tail: L::Tail,
    ) {
        let Sizes { channels, columns, .. } = self.sizes;
        let (by_pixel, by_tap) = (columns.by_pixel * channels, columns.by_tap * channels);
        // SAFETY: above.
        unsafe {
            let mut sums = [[L::zero(); V]; P];
            if !self.bias.is_empty() {
                sums = [load_row::<L, V, EDGE>(self.bias.as_ptr().add(channel), tail); P];
            }
            for i in strip.lines.clone() {
                let first = strip.met.start;
                let x = self.sizes.read([strip.row, column], [i, first]) + channel;
                let mut x = self.x.as_ptr().add(x);
                let mut weight = self.weight.as_ptr().add(self.sizes.weight(i, first) + channel);
                for _ in strip.met.clone() {
                    let w = load_row::<L, V, EDGE>(weight, tail);
                    for p in 0..P {
                        let x = load_row::<L, V, EDGE>(x.add(p * by_pixel), tail);
                        for v in 0..V {
                            sums[p][v] = L::mul_add(x[v], w[v], sums[p][v]);
                        }
                    }
                    // Not dereferenced behind the last element.
                    x = x.wrapping_add(by_tap);
                    weight = weight.wrapping_add(columns.tap_step * channels);
                }
            }
            for p in 0..P {
                let y = self.y.add(self.sizes.written(strip.row, column + p) + channel);
                store_row::<L, V, EDGE>(y, &sums[p], tail);
            }
        }
    }
}
