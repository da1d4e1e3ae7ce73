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

/// Sums [`Shards::shard_sums`] over all shards in their order, from element `begin` on, onto `sum` if [`Shards::adds`].
#[cfg(feature = "train")]
pub(crate) fn sum_shards(shards: Shards<'_>, begin: usize, sum: &mut [f32]) {
    // The order is that of the shards, whichever threads computed them: the same bits on any number of threads.
    let range = begin..begin + sum.len();
    if shards.count() > FEW_SHARDS {
        return sum_many_shards(shards, begin, sum);
    }
    let written = usize::from(!shards.adds());
    if written == 1 {
        sum.copy_from_slice(&shards.shard_sums(0)[range.clone()]);
    }
    for shard in written..shards.count() {
        add_to(sum, &shards.shard_sums(shard)[range.clone()]);
    }
}

/// Shards whose sums are added in `f32`.
#[cfg(feature = "train")]
const FEW_SHARDS: usize = 8;

/// Elements that [`sum_many_shards`] adds up at a time: their totals stay in the first-level cache.
#[cfg(feature = "train")]
const CHUNK: usize = 1024;

/// The sum of many shards: of four at a time in `f32`, and of those in `f64`, so that the rounding error does not grow with
/// the number of shards.
#[cfg(feature = "train")]
fn sum_many_shards(shards: Shards<'_>, begin: usize, sum: &mut [f32]) {
    for (chunk, sum) in sum.chunks_mut(CHUNK).enumerate() {
        let begin = begin + chunk * CHUNK;
        let of = |shard: usize| &shards.shard_sums(shard)[begin..begin + sum.len()];
        let mut totals = [0.0; CHUNK];
        let totals = &mut totals[..sum.len()];
        let whole = shards.count() / 4 * 4;
        for first in (0..whole).step_by(4) {
            add_four(totals, [0, 1, 2, 3].map(|i| of(first + i)));
        }
        for shard in whole..shards.count() {
            totals.iter_mut().zip(of(shard)).for_each(|(total, x)| *total += f64::from(*x));
        }
        for (sum, total) in sum.iter_mut().zip(totals) {
            let before = if shards.adds() { f64::from(*sum) } else { 0.0 };
            *sum = (before + *total) as f32;
        }
    }
}

#[cfg(feature = "train")]
dispatch! {
    fn add_four(totals: &mut [f64], parts: [&[f32]; 4]) {
        let [a, b, c, d] = parts.map(|part| &part[..totals.len()]);
        for (i, total) in totals.iter_mut().enumerate() {
            *total += f64::from((a[i] + b[i]) + (c[i] + d[i]));
        }
    }
}
