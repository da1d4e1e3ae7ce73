//! [`PixelShuffle`]: PyTorch's `nn.PixelShuffle`, channels last.

use super::rearrange::{Rearrange, rearrange};
use crate::contract::Spec;
use unrolled_shape::rules::pixel_shuffle;

/// An image enlarged by its channels: `[H, W, C*factor*factor] -> [H*factor, W*factor, C]`.
///
/// Channel `(c*factor + i)*factor + j` of a pixel becomes channel `c` of the pixel in row `i` and column `j` of those that
/// replace it (Shi et al., 2016).
#[derive(Clone, Debug, PartialEq)]
pub struct PixelShuffle;

rearrange!(PixelShuffle, pixel_shuffle::PixelShuffle);

impl<S: Spec<Arguments = pixel_shuffle::PixelShuffle>> Rearrange<S> for PixelShuffle {
    const BLOCK: usize = 1;

    #[inline(always)]
    fn source(at: usize) -> Option<usize> {
        let factor = S::ARGUMENTS.factor;
        let (pixel, channel) = (at / S::OUTPUT.last(), at % S::OUTPUT.last());
        let (row, column) = (pixel / S::OUTPUT.dim(1), pixel % S::OUTPUT.dim(1));
        let from = row / factor * S::INPUT.dim(1) + column / factor;
        let part = row % factor * factor + column % factor;
        Some(from * S::INPUT.last() + channel * factor * factor + part)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::rearrange::testing::check;
    use crate::layers::testing::spec;

    spec!(Image: pixel_shuffle::PixelShuffle { factor: 2 }, [&[3, 2, 12]] -> &[6, 4, 3]);

    #[test]
    fn spreads_channels() {
        check::<Image, PixelShuffle>(0.0, |at| {
            let (row, column) = (at[0] / 2, at[1] / 2);
            Some((row * 2 + column) * 12 + (at[2] * 2 + at[0] % 2) * 2 + at[1] % 2)
        });
    }
}
