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

/// Runs of samples of equal length: all `n` samples if each has all `full` steps, otherwise one sample after the other.
// Batches without short sequences are the common case: kernels get them as a whole.
pub(super) fn runs(steps: Steps<'_>, n: usize, full: usize) -> Runs<'_> {
    let count = if (0..n).all(|sample| steps.valid(sample, full) == full) { n } else { 1 };
    Runs { steps, n, full, count, first: 0 }
}

/// See [`runs`]. Not a function that calls a closure: each layer of a network would have a copy of it.
pub(super) struct Runs<'a> {
    steps: Steps<'a>,
    n: usize,
    full: usize,
    count: usize,
    first: usize,
}

impl Iterator for Runs<'_> {
    type Item = Samples;

    fn next(&mut self) -> Option<Samples> {
        let &mut Self { steps, n, full, count, first } = self;
        let samples =
            (first < n).then(|| Samples { first, count, steps: steps.valid(first, full) });
        self.first += count;
        samples
    }
}
