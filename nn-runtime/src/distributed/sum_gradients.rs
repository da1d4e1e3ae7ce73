//! [`sum_gradients`]: the sum of the gradients of all ranks.

use crate::contract::Network;
use crate::ranks::{DistributedError, Division, Ranks, Transport};
use crate::step::{SubtreeGradients, sum_over_ranks};
use std::ops::Range;

/// Replaces `d_net` by the sum of the gradients that all ranks pass, for programs with a loop of their own. The same bits
/// on all ranks, and in each run with as many ranks: the order of the additions is a binary tree over the ranks.
///
/// A loop whose bits do not depend on the number of ranks computes the gradients of a fixed number of parts of each batch
/// in turn, as [`Trainer::distributed`](crate::train::Trainer::distributed) does.
///
/// # Errors
/// If another rank ends, does not answer in time, reported an error, or passes the gradient of another network. `d_net` is
/// then undefined.
pub fn sum_gradients<N: Network>(
    world: &dyn Transport,
    d_net: &mut N,
) -> Result<(), DistributedError> {
    let ranks = Ranks::new(world);
    let leaves = ranks.size().next_power_of_two();
    let division = Division { leaves, ranks: Some(&ranks), shares: None };
    let tree = division.tree();
    let first_leaves = (0..ranks.size()).map(|rank| tree.leaves_of(rank).start).collect();
    let own = OwnGradient { first_leaves, gradient: d_net.as_floats().to_vec() };
    sum_over_ranks(d_net.as_floats_mut(), &division, &own);
    ranks.check()
}

/// The gradient of this rank, that of one leaf.
struct OwnGradient {
    /// The first leaf of each rank, which is its gradient; others are empty.
    first_leaves: Vec<usize>,
    gradient: Vec<f32>,
}

impl SubtreeGradients for OwnGradient {
    fn tasks(&self) -> usize {
        1
    }

    fn end(&self, _task: usize) -> usize {
        self.gradient.len()
    }

    fn is_filled(&self, subtree: &Range<usize>) -> bool {
        self.first_leaves.iter().any(|leaf| subtree.contains(leaf))
    }

    fn write(
        &self,
        _subtree: Range<usize>,
        _tasks: Range<usize>,
        elements: &mut [f32],
        _after_task: &(dyn Fn() + Sync),
    ) {
        elements.copy_from_slice(&self.gradient);
    }
}
