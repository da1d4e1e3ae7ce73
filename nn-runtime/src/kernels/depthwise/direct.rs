//! [`Direct`]: the convolution of an image by any kernel, without copies.

#![expect(
    clippy::needless_range_loop,
    reason = "indices below constants, so that arrays become registers"
)]

use super::sizes::{ChannelBlock, ImageSlices, Sizes, Strip};
use crate::kernels::isa::{Kernel, Lanes, load_row, store_row};

/// Vectors of channels in a tile: what is read of a pixel is contiguous whole cache lines.
const VECTORS: usize = 4;

/// The forward pass of one image.
pub(super) struct Direct<'a>(pub(super) ImageSlices<'a>);

impl Kernel for Direct<'_> {
    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) {
        let Self(image) = self;
        for strip in image.sizes.strips() {
            for block in image.sizes.channel_blocks(lanes, VECTORS) {
                // SAFETY: the strip is one of the image, and a whole block has `VECTORS` vectors of channels, another
                // one those of its tail.
                unsafe {
                    if block.whole {
                        image.direct_strip::<L, VECTORS, false>(lanes, &strip, block);
                    } else {
                        image.direct_strip::<L, 1, true>(lanes, &strip, block);
                    }
                }
            }
        }
    }
}

impl ImageSlices<'_> {
    /// Computes `V` vectors of channels, the last one partial at an edge, in tiles of as many pixels as registers can
    /// hold.
    ///
    /// # Safety
    /// The strip must be one of the image, and the block must have so many channels.
    #[inline(always)]
    unsafe fn direct_strip<L: Lanes, const V: usize, const EDGE: bool>(
        &self,
        lanes: L,
        strip: &Strip,
        block: ChannelBlock<L>,
    ) {
        // Four vectors of 4 pixels are 16 sums of 32 registers; of 2 pixels, 8 of 16.
        let most = if const { L::COUNT == 16 } { 4 } else { 2 };
        let mut column = strip.pixels.start;
        while column < strip.pixels.end {
            // SAFETY: at least as many pixels of the strip are left as the tile has.
            unsafe {
                if strip.pixels.end - column < most {
                    self.direct_tile::<L, 1, V, EDGE>(lanes, strip, column, block);
                    column += 1;
                } else {
                    if const { L::COUNT == 16 } {
                        self.direct_tile::<L, 4, V, EDGE>(lanes, strip, column, block);
                    } else {
                        self.direct_tile::<L, 2, V, EDGE>(lanes, strip, column, block);
                    }
                    column += most;
                }
            }
        }
    }

    /// Computes `P` pixels from `column` on.
    ///
    /// # Safety
    /// As for [`Self::direct_strip`], and the strip must have `P` pixels from `column` on.
    #[inline(always)]
    unsafe fn direct_tile<L: Lanes, const P: usize, const V: usize, const EDGE: bool>(
        &self,
        lanes: L,
        strip: &Strip,
        column: usize,
        block: ChannelBlock<L>,
    ) {
        let ChannelBlock { first: channel, tail, .. } = block;
        let Sizes { channels, columns, .. } = self.sizes;
        let (by_pixel, by_tap) = (columns.by_pixel * channels, columns.by_tap * channels);
        // SAFETY: the slices have the lengths of the sizes; the pixels of a strip meet its lines and elements of the
        // kernel inside of the image; the channels of the block exist in each pixel, in the weights and in the bias.
        unsafe {
            let at = |p| self.sizes.written(strip.row, column + p) + channel;
            let pixels: [usize; P] = core::array::from_fn(at);
            let mut sums = [[lanes.zero(); V]; P];
            if self.adds {
                for p in 0..P {
                    sums[p] = load_row::<L, V, EDGE>(lanes, self.y.add(pixels[p]), tail);
                }
            } else if !self.bias.is_empty() {
                let bias = self.bias.as_ptr().add(channel);
                sums = [load_row::<L, V, EDGE>(lanes, bias, tail); P];
            }
            for i in strip.lines.clone() {
                let first = strip.met.start;
                let x = self.sizes.read([strip.row, column], [i, first]) + channel;
                let mut x = self.x.as_ptr().add(x);
                let mut weight = self.weight.as_ptr().add(self.sizes.weight(i, first) + channel);
                for _ in strip.met.clone() {
                    // Loaded once for the pixels of the tile, all of which meet the same elements.
                    let w = load_row::<L, V, EDGE>(lanes, weight, tail);
                    for p in 0..P {
                        let x = load_row::<L, V, EDGE>(lanes, x.add(p * by_pixel), tail);
                        for v in 0..V {
                            sums[p][v] = lanes.mul_add(x[v], w[v], sums[p][v]);
                        }
                    }
                    // Wrapping: after the last element they are outside of the slices, where they are not dereferenced.
                    x = x.wrapping_add(by_tap);
                    weight = weight.wrapping_add(columns.tap_step * channels);
                }
            }
            if self.epilogue.is_for_sums() {
                self.epilogue.apply::<L, P, V, EDGE>(lanes, (channel, pixels), &mut sums, tail);
            }
            for p in 0..P {
                let y = self.y.add(pixels[p]);
                store_row::<L, V, EDGE>(lanes, y, &sums[p], tail);
                if self.epilogue.is_for_stored() {
                    let count = (channels - channel).min(V * L::COUNT);
                    self.epilogue.apply_to_stored([channel, pixels[p]], y, count);
                }
            }
        }
    }
}
