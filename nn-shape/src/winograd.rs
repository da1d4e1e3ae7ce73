//! [`ImageConvolution`]: which convolutions are computed by Winograd's algorithm.

/// The sizes of a convolution of images, pairs of height and width.
#[derive(Clone, Copy, Debug)]
pub struct ImageConvolution {
    /// The size of the kernel.
    pub kernel: [usize; 2],
    /// The stride.
    pub stride: [usize; 2],
    /// The distance between elements of the kernel.
    pub dilation: [usize; 2],
    /// The number of groups.
    pub groups: usize,
    /// Input channels.
    pub channels: usize,
    /// Output channels.
    pub filters: usize,
    /// The size of the output.
    pub output: [usize; 2],
}

impl ImageConvolution {
    /// Input or output channels, at least: with fewer, the transforms take a large part of the time.
    const CHANNELS: usize = 64;
    /// Channels are a multiple of this, a vector of AVX-512, so that no vector of the transforms is partial.
    const VECTOR: usize = 16;
    /// Lines and columns of the output, at least: with fewer pixels the transform of the weights takes as long as it saves.
    const SIZE: usize = 12;

    /// Whether the algorithm F(2x2, 3x3) can compute it.
    #[must_use]
    pub const fn allows_winograd(&self) -> bool {
        let Self { kernel: [kh, kw], stride: [sh, sw], dilation: [dh, dw], .. } = *self;
        let whole =
            self.channels.is_multiple_of(Self::VECTOR) && self.filters.is_multiple_of(Self::VECTOR);
        kh == 3 && kw == 3 && sh == 1 && sw == 1 && dh == 1 && dw == 1 && self.groups == 1 && whole
    }

    /// Whether it is computed by this algorithm. That depends on sizes alone, and not on the batch, the threads or whether a
    /// network trains: neither do the bits.
    #[must_use]
    pub const fn suits_winograd(&self) -> bool {
        let [height, width] = self.output;
        self.allows_winograd()
            && self.channels >= Self::CHANNELS
            && self.filters >= Self::CHANNELS
            && height >= Self::SIZE
            && width >= Self::SIZE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEAST: ImageConvolution = ImageConvolution {
        kernel: [3; 2],
        stride: [1; 2],
        dilation: [1; 2],
        groups: 1,
        channels: 64,
        filters: 64,
        output: [12; 2],
    };

    #[test]
    fn each_size_has_a_bound() {
        assert!(LEAST.suits_winograd());
        for other in [
            ImageConvolution { kernel: [1, 3], ..LEAST },
            ImageConvolution { kernel: [3, 5], ..LEAST },
            ImageConvolution { stride: [1, 2], ..LEAST },
            ImageConvolution { stride: [2, 1], ..LEAST },
            ImageConvolution { dilation: [1, 2], ..LEAST },
            ImageConvolution { dilation: [2, 1], ..LEAST },
            ImageConvolution { groups: 2, ..LEAST },
            ImageConvolution { channels: 48, ..LEAST },
            ImageConvolution { channels: 72, ..LEAST },
            ImageConvolution { filters: 48, ..LEAST },
            ImageConvolution { filters: 72, ..LEAST },
            ImageConvolution { output: [11, 12], ..LEAST },
            ImageConvolution { output: [12, 11], ..LEAST },
        ] {
            assert!(!other.suits_winograd(), "{other:?}");
        }
        let larger = ImageConvolution { channels: 80, filters: 512, output: [13, 400], ..LEAST };
        assert!(larger.suits_winograd());
    }
}
