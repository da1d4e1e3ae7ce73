//! Sums of whole slices.

use super::dispatch::dispatch;
#[cfg(feature = "train")]
use crate::memory::Shards;

dispatch! {
    /// Adds a contribution to a gradient. The gradient of a value that several layers read is the sum of several.
    pub fn add_to(sum: &mut [f32], contribution: &[f32]) {
        for (sum, contribution) in sum.iter_mut().zip(contribution) {
            *sum += contribution;
        }
    }
}

/// Sums [`Shards::shard_sums`] over all shards in their order, from element `begin` on.
#[cfg(feature = "train")]
pub(crate) fn sum_shards(shards: Shards<'_>, begin: usize, sum: &mut [f32]) {
    // The order is that of the shards, whichever threads computed them: the same bits on any number of threads.
    let range = begin..begin + sum.len();
    sum.copy_from_slice(&shards.shard_sums(0)[range.clone()]);
    for shard in 1..shards.count() {
        add_to(sum, &shards.shard_sums(shard)[range.clone()]);
    }
}
