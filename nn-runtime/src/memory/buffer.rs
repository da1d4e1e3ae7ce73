//! [`Buffer`]: a range of memory whose size is known per sample.

use crate::system::CacheLine;
use core::ops::Range;

/// A range of `f32` elements, counted for one sample. Multiplied by the number of samples it is the range of a
/// whole shard.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Buffer {
    /// Elements before it.
    pub offset: usize,
    /// Its length in elements.
    pub len: usize,
}

impl Buffer {
    /// A buffer of length 0 at offset 0.
    pub const EMPTY: Self = Self { offset: 0, len: 0 };

    /// The buffer of `len` elements directly after this one.
    #[must_use]
    pub const fn then(self, len: usize) -> Self {
        Self { offset: self.offset + self.len, len }
    }

    /// The buffer of `len` elements after this one that begins a cache line where the memory begins one: vectors that cross two
    /// lines are slow to load and to store. (A ResNet-20 trains 1% faster.)
    #[must_use]
    pub const fn then_on_line(self, len: usize) -> Self {
        Self { offset: self.end().next_multiple_of(CacheLine::LEN), len }
    }

    /// The offset of the first element after it.
    #[must_use]
    pub const fn end(self) -> usize {
        self.offset + self.len
    }

    /// Its range for `n` samples.
    #[must_use]
    pub const fn range(self, n: usize) -> Range<usize> {
        // Sample after sample in each buffer, and buffer after buffer: so offset and length grow by the same factor
        // `n`, and what does not overlap for one sample does not overlap for `n`.
        n * self.offset..n * (self.offset + self.len)
    }

    /// The same range where each sample is `samples` samples.
    #[must_use]
    pub const fn times(self, samples: usize) -> Self {
        Self { offset: self.offset * samples, len: self.len * samples }
    }

    /// The buffer `inner`, whose offset counts from the beginning of this one.
    #[must_use]
    pub const fn within(self, inner: Self) -> Self {
        Self { offset: self.offset + inner.offset, len: inner.len }
    }
}

/// The slices of several buffers, for `n` samples.
///
/// # Panics
/// When two of them overlap. The memory plan excludes that.
#[inline]
#[track_caller]
pub fn take<const K: usize>(values: &mut [f32], n: usize, buffers: [Buffer; K]) -> [&mut [f32]; K] {
    // Checked once per node and call, instead of `unsafe` code that trusts the plan.
    match values.get_disjoint_mut(buffers.map(|buffer| buffer.range(n))) {
        Ok(slices) => slices,
        Err(error) => panic!("memory plan: {error}"),
    }
}
