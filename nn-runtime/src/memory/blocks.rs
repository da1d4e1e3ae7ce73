//! Blocks of pixels, on which inference computes several layers one after the other.

use core::ops::Range;
use unrolled_shape::BLOCK;

/// The elements of a block of pixels with so many channels. A microcontroller has a small stack.
#[doc(hidden)]
#[must_use]
pub const fn block_len(channels: usize) -> usize {
    let most = if cfg!(target_os = "none") { BLOCK / 8 } else { BLOCK };
    if most < channels { channels } else { most / channels * channels }
}

/// The blocks of `len` elements in order; the last one may be shorter.
#[doc(hidden)]
pub fn blocks(len: usize, block: usize) -> impl Iterator<Item = Range<usize>> {
    (0..len).step_by(block).map(move |begin| begin..len.min(begin + block))
}

/// A copy of `values` in `memory`.
#[doc(hidden)]
#[inline(always)]
pub fn copied<'m>(memory: &'m mut [f32], values: &[f32]) -> &'m [f32] {
    let copy = &mut memory[..values.len()];
    copy.copy_from_slice(values);
    copy
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_whole_pixels() {
        for channels in [1, 3, 64, 255, 256, 257, 5000] {
            let block = block_len(channels);
            assert!(block.is_multiple_of(channels) && block <= BLOCK.max(channels));
            let len = 37 * channels;
            let all: Vec<Range<usize>> = blocks(len, block).collect();
            assert!(all.windows(2).all(|pair| pair[0].end == pair[1].start));
            assert_eq!(all.iter().map(ExactSizeIterator::len).sum::<usize>(), len);
        }
    }
}
