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

/// Elements that [`sum_shards`] adds up at a time: their totals stay in the first-level cache.
#[cfg(feature = "train")]
const CHUNK: usize = 1024;

/// Shards that are added in `f32`.
#[cfg(feature = "train")]
const PART: usize = 16;

/// Sums [`Shards::shard_sums`] over all shards in their order, from element `begin` on: parts of a few shards in `f32`, and
/// the parts in `f64`, so that the rounding error does not grow with the number of shards.
#[cfg(feature = "train")]
pub(crate) fn sum_shards(shards: Shards<'_>, begin: usize, sum: &mut [f32]) {
    // The order is that of the shards, whichever threads computed them: the same bits on any number of threads.
    for (chunk, sum) in sum.chunks_mut(CHUNK).enumerate() {
        let begin = begin + chunk * CHUNK;
        let range = begin..begin + sum.len();
        let mut totals = [0.0; CHUNK];
        for first in (0..shards.count()).step_by(PART) {
            sum.copy_from_slice(&shards.shard_sums(first)[range.clone()]);
            for shard in first + 1..shards.count().min(first + PART) {
                add_to(sum, &shards.shard_sums(shard)[range.clone()]);
            }
            add_to_totals(&mut totals, sum);
        }
        sum.iter_mut().zip(&totals).for_each(|(sum, total)| *sum = *total as f32);
    }
}

#[cfg(feature = "train")]
dispatch! {
    fn add_to_totals(totals: &mut [f64], part: &[f32]) {
        for (total, part) in totals.iter_mut().zip(part) {
            *total += f64::from(*part);
        }
    }
}
