//! [`Matrices`]: the transformed weights and inputs, and their products, in memory.

use crate::system::CacheLine;

/// Tiles whose inputs are transformed at a time: four tiles of a matrix product.
pub(super) const TILES: usize = 24;

/// Filters whose weights are transformed at a time: the widest panel of a matrix product.
const FILTERS: usize = 64;

/// The matrices of one kind: an element of the 4x4 is a matrix.
const MATRICES: usize = 16;

/// The sizes of matrices of so many channels, and of the filters that are computed at a time.
#[derive(Clone, Copy)]
pub(super) struct Sizes {
    pub(super) channels: usize,
    /// At a time.
    pub(super) filters: usize,
}

impl Sizes {
    pub(super) const fn new(channels: usize, filters: usize) -> Self {
        Self { channels, filters: if filters < FILTERS { filters } else { FILTERS } }
    }

    /// Elements of each matrix of `U`, `V` and `M`. A line more than they need: at a distance of a power of two, all 16 would
    /// be in the same set of a cache.
    pub(super) const fn matrices(&self) -> [usize; 3] {
        let Self { channels, filters } = *self;
        [
            channels * filters + CacheLine::LEN,
            TILES * channels + CacheLine::LEN,
            TILES * filters + CacheLine::LEN,
        ]
    }

    /// Elements of all matrices, aligned to a cache line.
    pub(super) const fn len(&self) -> usize {
        let [u, v, m] = self.matrices();
        MATRICES * (u + v + m) + CacheLine::LEN
    }
}

/// Matrices in memory, the first element of each `stride` elements after that of the one before.
pub(super) struct Matrices<'a> {
    pub(super) values: &'a mut [f32],
    pub(super) stride: usize,
}

impl<'a> Matrices<'a> {
    /// Takes them off `memory`.
    pub(super) fn take(memory: &mut &'a mut [f32], stride: usize) -> Self {
        let values = memory.split_off_mut(..MATRICES * stride).expect("memory for all matrices");
        Self { values, stride }
    }
}
