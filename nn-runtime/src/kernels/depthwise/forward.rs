//! [`Forward`]: the convolution of an image by any kernel.

#![expect(
    clippy::needless_range_loop,
    reason = "indices below constants, so that arrays become registers"
)]

use super::sizes::{ChannelBlock, ImageSlices, Sizes, Strip};
use crate::kernels::isa::{Kernel, Lanes, load_row, store_row};

/// Vectors of channels in a block, at most: the sums of a single pixel hide the latency of multiply-adds (two begin per
/// cycle, and each takes about four cycles). On 32-bit ARM a vector is four registers.
const VECTORS: usize = if cfg!(target_arch = "arm") { 1 } else { 8 };

/// Pixels of a tile of neighbours. With two vectors of channels they have as many sums.
const NEIGHBOURS: usize = 4;

/// The forward pass of one image.
///
/// With `K > 0`, the kernel has `K` columns, pixels are `S` apart and the dilation is 1: neighbouring pixels that meet all
/// columns are computed together. With `K = 0` it is any kernel.
pub(super) struct Forward<'a, const K: usize, const S: usize>(pub(super) ImageSlices<'a>);

impl<const K: usize, const S: usize> Kernel for Forward<'_, K, S> {
    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) {
        let Self(mut image) = self;
        if const { K > 0 } {
            // Constants, so that no division is left.
            let Sizes { rows, columns, .. } = &mut image.sizes;
            (columns.taps, columns.by_pixel) = (K, S);
            (columns.by_tap, rows.by_tap) = (1, 1);
        }
        for band in image.sizes.columns.bands() {
            // Lines inside: what the pixels of a block meet stays in a first-level cache from one line to the next.
            for block in image.sizes.channel_blocks(lanes, VECTORS) {
                for row in 0..image.sizes.rows.pixels {
                    let strip = image.sizes.strip(row, &band);
                    // SAFETY: the strip is one of the image, and its pixels have the channels of the block.
                    unsafe {
                        match block.vectors {
                            8 if VECTORS >= 8 => {
                                image.strip::<L, K, S, 8, false>(lanes, &strip, block)
                            }
                            4 if VECTORS >= 4 => {
                                image.strip::<L, K, S, 4, false>(lanes, &strip, block)
                            }
                            2 if VECTORS >= 2 && block.whole => {
                                image.strip::<L, K, S, 2, false>(lanes, &strip, block)
                            }
                            2 if VECTORS >= 2 => {
                                image.strip::<L, K, S, 2, true>(lanes, &strip, block)
                            }
                            _ => image.strip::<L, K, S, 1, true>(lanes, &strip, block),
                        }
                    }
                }
            }
        }
    }
}

/// Neighbouring pixels of a strip, and some channels of them.
#[derive(Clone, Copy)]
struct Tile<'a, L: Lanes> {
    strip: &'a Strip,
    /// The first pixel.
    column: usize,
    block: ChannelBlock<L>,
}

impl ImageSlices<'_> {
    /// Computes `V` vectors of channels, the last one partial at an edge.
    ///
    /// # Safety
    /// The strip must be one of the image, and the block must have so many channels.
    #[inline(always)]
    unsafe fn strip<L: Lanes, const K: usize, const S: usize, const V: usize, const EDGE: bool>(
        &self,
        lanes: L,
        strip: &Strip,
        block: ChannelBlock<L>,
    ) {
        let mut tile = Tile { strip, column: strip.pixels.start, block };
        // SAFETY: by the contract of this function.
        unsafe {
            if const { K > 0 } {
                if strip.met.len() == K {
                    self.all_neighbours::<L, K, S, V, EDGE>(lanes, &mut tile);
                }
            } else {
                // As many sums as registers can hold beside a vector of weights and one of the image: 16 of 32, 8 of 16.
                let pixels = const { if L::COUNT == 16 { 16 / V } else { 8 / V } };
                if pixels >= 4 {
                    self.direct_tiles::<L, 4, V, EDGE>(lanes, &mut tile);
                } else if pixels == 2 {
                    self.direct_tiles::<L, 2, V, EDGE>(lanes, &mut tile);
                }
            }
            self.direct_tiles::<L, 1, V, EDGE>(lanes, &mut tile);
        }
    }

    /// Computes neighbouring pixels as long as there are so many.
    ///
    /// # Safety
    /// As for [`Self::strip`], and the strip must meet all columns of the kernel.
    #[inline(always)]
    unsafe fn all_neighbours<
        L: Lanes,
        const K: usize,
        const S: usize,
        const V: usize,
        const EDGE: bool,
    >(
        &self,
        lanes: L,
        tile: &mut Tile<'_, L>,
    ) {
        while tile.strip.pixels.end - tile.column >= NEIGHBOURS {
            // SAFETY: so many pixels are left; the block has the channels of each pair.
            unsafe {
                if const { V <= 2 } {
                    self.neighbours::<L, K, S, V, EDGE>(lanes, tile);
                } else {
                    for pair in 0..V / 2 {
                        let first = tile.block.first + pair * 2 * L::COUNT;
                        let block = ChannelBlock { first, ..tile.block };
                        self.neighbours::<L, K, S, 2, false>(lanes, &Tile { block, ..*tile });
                    }
                }
            }
            tile.column += NEIGHBOURS;
        }
    }

    /// Computes `P` pixels at a time, as long as there are so many.
    ///
    /// # Safety
    /// As for [`Self::strip`].
    #[inline(always)]
    unsafe fn direct_tiles<L: Lanes, const P: usize, const V: usize, const EDGE: bool>(
        &self,
        lanes: L,
        tile: &mut Tile<'_, L>,
    ) {
        while tile.strip.pixels.end - tile.column >= P {
            // SAFETY: so many pixels are left.
            unsafe { self.direct_tile::<L, P, V, EDGE>(lanes, tile) };
            tile.column += P;
        }
    }

    /// Computes `P` pixels.
    ///
    /// # Safety
    /// As for [`Self::strip`], and the strip must have the pixels.
    #[inline(always)]
    unsafe fn direct_tile<L: Lanes, const P: usize, const V: usize, const EDGE: bool>(
        &self,
        lanes: L,
        tile: &Tile<'_, L>,
    ) {
        let Tile { strip, column, block: ChannelBlock { first: channel, tail, .. } } = *tile;
        let Sizes { channels, columns, .. } = self.sizes;
        let (by_pixel, by_tap) = (columns.by_pixel * channels, columns.by_tap * channels);
        // SAFETY: the slices have the lengths of the sizes; the pixels of a strip meet its lines and elements of the
        // kernel inside of the image; the channels of the block exist in each pixel, in the weights and in the bias.
        unsafe {
            let pixels = self.pixels::<L, P>(tile);
            let mut sums = self.first_sums::<L, P, V, EDGE>(lanes, tile, pixels);
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
            self.finish::<L, P, V, EDGE>(lanes, tile, pixels, sums);
        }
    }

    /// Computes [`NEIGHBOURS`] pixels. Each element of a line of the image is loaded once for all of them.
    ///
    /// # Safety
    /// As for [`Self::tile`], and the strip must meet all columns of the kernel.
    #[inline(always)]
    unsafe fn neighbours<
        L: Lanes,
        const K: usize,
        const S: usize,
        const V: usize,
        const EDGE: bool,
    >(
        &self,
        lanes: L,
        tile: &Tile<'_, L>,
    ) {
        let Tile { strip, column, block: ChannelBlock { first: channel, tail, .. } } = *tile;
        let Sizes { channels, columns, .. } = self.sizes;
        // SAFETY: as in `tile`; the last column that is read is what the last pixel meets with the last column of the kernel.
        unsafe {
            let pixels = self.pixels::<L, NEIGHBOURS>(tile);
            let mut sums = self.first_sums::<L, NEIGHBOURS, V, EDGE>(lanes, tile, pixels);
            for i in strip.lines.clone() {
                let x = self.sizes.read([strip.row, column], [i, 0]) + channel;
                let weight = self.sizes.weight(i, 0) + channel;
                for v in 0..V {
                    let x = self.x.as_ptr().add(x + v * L::COUNT);
                    let weight = self.weight.as_ptr().add(weight + v * L::COUNT);
                    let partial = EDGE && v == V - 1;
                    let load = |from: *const f32| {
                        if partial { lanes.load_tail(from, tail) } else { lanes.load(from) }
                    };
                    let mut weights = [lanes.zero(); K];
                    for j in 0..K {
                        weights[j] = load(weight.add(j * columns.tap_step * channels));
                    }
                    for q in 0..(NEIGHBOURS - 1) * S + K {
                        let x = load(x.add(q * channels));
                        // Pixel `p` meets column `j` of the kernel at `p * S + j`. The conditions are constants of unrolled
                        // loops.
                        for p in 0..NEIGHBOURS {
                            if p * S <= q && q < p * S + K {
                                sums[p][v] = lanes.mul_add(x, weights[q - p * S], sums[p][v]);
                            }
                        }
                    }
                }
            }
            self.finish::<L, NEIGHBOURS, V, EDGE>(lanes, tile, pixels, sums);
        }
    }

    /// The offsets of the first channels of a tile in the image that is written.
    #[inline(always)]
    fn pixels<L: Lanes, const P: usize>(&self, tile: &Tile<'_, L>) -> [usize; P] {
        let at = |p| self.sizes.written(tile.strip.row, tile.column + p) + tile.block.first;
        core::array::from_fn(at)
    }

    /// The sums of a tile before any term is added.
    ///
    /// # Safety
    /// As for [`Self::tile`], with the [`pixels`](Self::pixels) of the tile.
    #[inline(always)]
    unsafe fn first_sums<L: Lanes, const P: usize, const V: usize, const EDGE: bool>(
        &self,
        lanes: L,
        tile: &Tile<'_, L>,
        pixels: [usize; P],
    ) -> [[L::Vector; V]; P] {
        let ChannelBlock { first, tail, .. } = tile.block;
        let mut sums = [[lanes.zero(); V]; P];
        // SAFETY: the image that is written has the pixels, and the bias the channels.
        unsafe {
            if self.adds {
                for p in 0..P {
                    sums[p] = load_row::<L, V, EDGE>(lanes, self.y.add(pixels[p]), tail);
                }
            } else if !self.bias.is_empty() {
                let bias = self.bias.as_ptr().add(first);
                sums = [load_row::<L, V, EDGE>(lanes, bias, tail); P];
            }
        }
        sums
    }

    /// Applies the epilogue to the sums of a tile, and stores them.
    ///
    /// # Safety
    /// As for [`Self::first_sums`].
    #[inline(always)]
    unsafe fn finish<L: Lanes, const P: usize, const V: usize, const EDGE: bool>(
        &self,
        lanes: L,
        tile: &Tile<'_, L>,
        pixels: [usize; P],
        mut sums: [[L::Vector; V]; P],
    ) {
        let ChannelBlock { first, tail, .. } = tile.block;
        // SAFETY: the epilogue was checked for the image that is written, which has the pixels.
        unsafe {
            if self.epilogue.is_for_sums() {
                self.epilogue.apply::<L, P, V, EDGE>(lanes, (first, pixels), &mut sums, tail);
            }
            for p in 0..P {
                let y = self.y.add(pixels[p]);
                store_row::<L, V, EDGE>(lanes, y, &sums[p], tail);
                if self.epilogue.is_for_stored() {
                    let count = (self.sizes.channels - first).min(V * L::COUNT);
                    self.epilogue.apply_to_stored::<L>([first, pixels[p]], y, count);
                }
            }
        }
    }
}
