//! [`Division`]: which leaves of each batch belong to this rank.

use super::leaves::Leaves;
use super::shares::Shares;
use super::traffic::Ranks;
use super::tree::Tree;
use std::ops::Range;

/// The number of leaves of each batch, and the ranks among which they are divided.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Division<'a> {
    pub(crate) leaves: usize,
    /// `None` for a single process.
    pub(crate) ranks: Option<&'a Ranks<'a>>,
    /// The elements that each rank updates, if the optimiser's state is divided among the ranks.
    pub(crate) shares: Option<&'a Shares>,
}

impl<'a> Division<'a> {
    /// A single process, which computes the gradient of each batch at once.
    pub(crate) const WHOLE: Self = Self { leaves: 1, ranks: None, shares: None };

    /// The ranks, and the elements that each updates, if the optimiser's state is divided.
    pub(crate) fn divided(&self) -> Option<(&'a Ranks<'a>, &'a Shares)> {
        self.ranks.zip(self.shares)
    }

    /// The elements of the network that this rank updates, `len` of them if the optimiser's state is not divided.
    pub(crate) fn share(&self, len: usize) -> Range<usize> {
        self.divided().map_or(0..len, |(ranks, shares)| shares.of(ranks.rank()))
    }

    pub(crate) fn tree(&self) -> Tree {
        Tree { leaves: self.leaves, ranks: self.ranks.map_or(1, Ranks::size) }
    }

    pub(crate) fn rank(&self) -> usize {
        self.ranks.map_or(0, Ranks::rank)
    }

    /// The leaves of this rank.
    pub(crate) fn own(&self) -> Range<usize> {
        self.tree().leaves_of(self.rank())
    }

    /// The samples of a batch that belong to this rank.
    pub(crate) fn samples_of(&self, leaves: Leaves) -> Range<usize> {
        leaves.samples_of(self.own())
    }
}
