//! [`Shares`]: which elements of the gradient each rank adds up.

use std::ops::Range;

/// Consecutive elements of the network for each rank, which adds up their gradient and, where the optimiser's state is
/// divided, updates them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Shares {
    /// The end of each rank's elements.
    ends: Vec<usize>,
}

impl Shares {
    /// Parts of `len` elements that differ by one at most. Rank 0, which writes checkpoints, has at least one element.
    pub(crate) fn equal(len: usize, ranks: usize) -> Self {
        Self { ends: (1..=ranks).map(|rank| (rank * len).div_ceil(ranks)).collect() }
    }

    /// The same, each cut moved to the nearest of `cuts`, which are in ascending order and include 0 and `len`.
    pub(crate) fn cut_at(cuts: &[usize], len: usize, ranks: usize) -> Self {
        let nearest = |end: usize| {
            let after = cuts.partition_point(|cut| *cut < end).min(cuts.len() - 1);
            let (before, after) = (cuts[after.saturating_sub(1)], cuts[after]);
            if before > 0 && end.abs_diff(before) <= end.abs_diff(after) { before } else { after }
        };
        Self { ends: Self::equal(len, ranks).ends.into_iter().map(nearest).collect() }
    }

    /// The elements of a rank.
    pub(crate) fn of(&self, rank: usize) -> Range<usize> {
        let begin = rank.checked_sub(1).map_or(0, |before| self.ends[before]);
        begin..self.ends[rank]
    }

    /// The number of elements of each rank, times `size`.
    pub(crate) fn lens(&self, size: usize) -> Vec<usize> {
        (0..self.ends.len()).map(|rank| self.of(rank).len() * size).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_equal_or_end_at_tensors() {
        let all = |shares: Shares| (0..3).map(|rank| shares.of(rank)).collect::<Vec<_>>();
        assert_eq!(all(Shares::equal(10, 3)), [0..4, 4..7, 7..10]);
        assert_eq!(all(Shares::equal(1, 3)), [0..1, 1..1, 1..1]);
        assert_eq!(all(Shares::cut_at(&[0, 2, 9, 10], 10, 3)), [0..2, 2..9, 9..10]);
        assert_eq!(all(Shares::cut_at(&[0, 10], 10, 3)), [0..10, 10..10, 10..10]);
        assert_eq!(Shares::equal(10, 3).lens(4), [16, 12, 12]);
    }
}
