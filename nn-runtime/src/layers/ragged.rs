//! What layers share that mix the steps of a sequence: a sample that ends early is treated as a shorter one.

use crate::types::Steps;
use core::ops::Range;

/// Samples whose sequences are equally long, one behind the other.
pub(super) struct Run {
    /// The number of the first.
    first: usize,
    /// How many: one where they end early.
    count: usize,
    /// How many of their steps are valid.
    pub(super) valid: usize,
}

impl Run {
    /// The valid numbers of each sample, `valid` of `len`, in a run of all samples.
    pub(super) fn valid(&self, valid: usize, len: usize) -> Range<usize> {
        self.first * len..self.first * len + self.count * valid
    }

    /// What lies behind them.
    pub(super) fn behind(&self, valid: usize, len: usize) -> Range<usize> {
        self.valid(valid, len).end..(self.first + self.count) * len
    }
}

/// Calls `f` with all of `n` samples where each has all `full` steps, else with one after the other.
pub(super) fn for_each_run(steps: Steps<'_>, n: usize, full: usize, mut f: impl FnMut(Run)) {
    if (0..n).all(|sample| steps.valid(sample, full) == full) {
        return f(Run { first: 0, count: n, valid: full });
    }
    for first in 0..n {
        f(Run { first, count: 1, valid: steps.valid(first, full) });
    }
}
