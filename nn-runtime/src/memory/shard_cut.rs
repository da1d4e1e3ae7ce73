//! [`ShardCut`]: the cut of a batch into shards.

use crate::ranks::{Division, Leaves};
use std::ops::Range;

/// The cut of this rank's samples of a batch into shards: each of its leaves into shards of `capacity` samples, the last of
/// which has the rest. Samples count from the first one of this rank.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ShardCut {
    pub(crate) capacity: usize,
    leaves: Leaves,
    first_leaf: usize,
    leaf_count: usize,
    /// Shards of the largest leaf. Others have as many, the last of which may be empty.
    per_leaf: usize,
}

impl ShardCut {
    /// The samples of a batch that belong to this rank.
    pub(crate) fn new(division: &Division<'_>, leaves: Leaves, capacity: usize) -> Self {
        let Range { start, end } = division.own();
        let per_leaf = leaves.largest().div_ceil(capacity);
        Self { capacity, leaves, first_leaf: start, leaf_count: end - start, per_leaf }
    }

    /// A batch of one leaf.
    pub(crate) fn whole(samples: usize, capacity: usize) -> Self {
        Self::new(&Division::WHOLE, Leaves::new(1, samples), capacity)
    }

    /// The number of samples of this rank.
    pub(crate) fn samples(&self) -> usize {
        let all = self.leaves.samples_of(self.first_leaf..self.first_leaf + self.leaf_count);
        all.len()
    }

    /// The number of samples of all ranks.
    pub(crate) const fn batch(&self) -> usize {
        self.leaves.samples()
    }

    pub(crate) const fn shards(&self) -> usize {
        self.leaf_count * self.per_leaf
    }

    /// The index of a shard's first sample, and the number of its samples.
    pub(crate) fn samples_of(&self, shard: usize) -> (usize, usize) {
        let leaf = self.first_leaf + shard / self.per_leaf;
        let Range { start, end } = self.leaves.samples_of(leaf..leaf + 1);
        let first = end.min(start + shard % self.per_leaf * self.capacity);
        (
            first - self.leaves.samples_of(self.first_leaf..leaf).start,
            self.capacity.min(end - first),
        )
    }

    /// Whether leaves, counted over all ranks, have no samples.
    pub(crate) fn is_empty(&self, leaves: Range<usize>) -> bool {
        self.leaves.samples_of(leaves).is_empty()
    }

    /// The first shard of a leaf, counted over all ranks, and the cut of its samples.
    pub(crate) fn leaf(&self, leaf: usize) -> (usize, Self) {
        let samples = self.leaves.samples_of(leaf..leaf + 1).len();
        ((leaf - self.first_leaf) * self.per_leaf, Self::whole(samples, self.capacity))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_of_one_leaf_has_full_shards_and_one_with_the_rest() {
        let cut = ShardCut::whole(11, 4);
        assert_eq!([0, 1, 2].map(|shard| cut.samples_of(shard)), [(0, 4), (4, 4), (8, 3)]);
        assert_eq!((cut.shards(), cut.samples(), cut.batch()), (3, 11, 11));
    }

    #[test]
    fn shards_do_not_cross_leaves() {
        // 11 samples in leaves of 2, 3, 3 and 3.
        let division = Division { leaves: 4, ranks: None, shares: None };
        let cut = ShardCut::new(&division, Leaves::new(4, 11), 2);
        let shards: Vec<_> = (0..cut.shards()).map(|shard| cut.samples_of(shard)).collect();
        assert_eq!(shards, [(0, 2), (2, 0), (2, 2), (4, 1), (5, 2), (7, 1), (8, 2), (10, 1)]);
        let (first, leaf) = cut.leaf(2);
        assert_eq!((first, leaf.shards(), leaf.samples()), (4, 2, 3));
    }
}
