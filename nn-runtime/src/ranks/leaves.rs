//! [`Leaves`]: the cut of a batch into the leaves of the reduction tree.

use std::ops::Range;

/// The cut of a batch into *leaves*, consecutive samples whose gradients the reduction tree adds up. It depends on the
/// batch alone, and never on the number of ranks or threads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Leaves {
    /// A power of two.
    count: usize,
    /// The number of samples that are cut into equal parts.
    cut: usize,
    /// The number of samples, if there are fewer.
    samples: usize,
}

impl Leaves {
    /// `samples` samples in `count` leaves.
    pub(crate) const fn new(count: usize, samples: usize) -> Self {
        Self::of_full_batch(count, samples, samples)
    }

    /// The first `samples` samples of a batch of `full`, in the leaves in which these are if the batch is full.
    pub(crate) const fn of_full_batch(count: usize, full: usize, samples: usize) -> Self {
        Self { count, cut: full, samples }
    }

    /// The number of samples in all leaves.
    pub(crate) const fn samples(&self) -> usize {
        self.samples
    }

    /// The largest number of samples in a leaf.
    pub(crate) fn largest(&self) -> usize {
        self.cut.div_ceil(self.count).min(self.samples)
    }

    /// The samples of consecutive leaves. A batch that has few samples leaves some empty.
    pub(crate) fn samples_of(&self, leaves: Range<usize>) -> Range<usize> {
        self.bound(leaves.start)..self.bound(leaves.end)
    }

    fn bound(&self, leaf: usize) -> usize {
        // A batch size may be as large as a `usize`, for all samples.
        let bound = leaf as u128 * self.cut as u128 / self.count as u128;
        self.samples.min(bound as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leaves_differ_by_one_sample_at_most() {
        for samples in 1..70 {
            for count in [1, 2, 4, 8, 16] {
                let leaves = Leaves::new(count, samples);
                let lens: Vec<_> = (0..count).map(|i| leaves.samples_of(i..i + 1).len()).collect();
                assert_eq!(lens.iter().sum::<usize>(), samples);
                assert_eq!(lens.iter().max(), Some(&leaves.largest()));
                assert!(leaves.largest() - lens.iter().min().unwrap() <= 1);
            }
        }
    }

    #[test]
    fn samples_of_a_batch_that_is_not_full_stay_in_their_leaves() {
        let leaves = Leaves::of_full_batch(4, 8, 5);
        assert_eq!([0, 1, 2, 3].map(|i| leaves.samples_of(i..i + 1)), [0..2, 2..4, 4..5, 5..5]);
        assert_eq!((leaves.largest(), Leaves::of_full_batch(1, 8, 5).largest()), (2, 5));
    }
}
