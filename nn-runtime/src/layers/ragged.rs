//! Sequences of different lengths, for layers that mix steps: a sequence that ends early is a shorter sample.

use crate::types::Steps;
use core::ops::Range;

/// Consecutive samples with the same number of valid steps.
pub(super) struct Samples {
    /// The index of the first one.
    first: usize,
    /// The number of samples: 1 if they end early.
    count: usize,
    /// The number of valid steps of each sample.
    pub(super) steps: usize,
}

impl Samples {
    /// The range of their valid elements in a batch with `len` elements per sample, the first `valid` of which are
    /// valid.
    pub(super) fn valid(&self, valid: usize, len: usize) -> Range<usize> {
        self.first * len..self.first * len + self.count * valid
    }

    /// The range of the elements after the end of the sequence, which is empty if all steps are valid.
    pub(super) fn after_end(&self, valid: usize, len: usize) -> Range<usize> {
        self.valid(valid, len).end..(self.first + self.count) * len
    }
}

/// Calls `f` once with all `n` samples if each has all `full` steps, otherwise with one sample after the other.
// Batches without short sequences are the common case: kernels get them as a whole.
pub(super) fn for_each_length(steps: Steps<'_>, n: usize, full: usize, mut f: impl FnMut(Samples)) {
    if (0..n).all(|sample| steps.valid(sample, full) == full) {
        return f(Samples { first: 0, count: n, steps: full });
    }
    for first in 0..n {
        f(Samples { first, count: 1, steps: steps.valid(first, full) });
    }
}
