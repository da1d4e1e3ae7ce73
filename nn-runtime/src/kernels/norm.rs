//! Batch normalisation: sums over all rows of `[rows, C]`, channel by channel, and what follows from them.
//!
//! Sums are taken and joined in `f64`, in a fixed order, so that neither a large mean nor the cut
//! into shards shows in the result.

use super::dispatch::dispatch;
#[cfg(feature = "train")]
use crate::memory::Shards;

/// Numbers that hold [`moments`] or [`gradient_sums`] of one shard, and how many rows it has.
pub(crate) const fn partial_len(channels: usize) -> usize {
    4 * channels + 1
}

/// Forgets the sums of a shard, but not how many rows it has.
pub(crate) fn clear_sums(partial: &mut [f32]) {
    let last = partial.len() - 1;
    partial[..last].fill(0.0);
}

fn put_rows(partial: &mut [f32], rows: usize) {
    let last = partial.len() - 1;
    partial[last] = f32::from_bits(rows as u32);
}

/// How many rows a shard has.
fn rows(partial: &[f32]) -> usize {
    partial[partial.len() - 1].to_bits() as usize
}

/// Two `f64` per channel, each kept as an `f32` and what its rounding lost.
fn put(partial: &mut [f32], channels: usize, c: usize, values: [f64; 2]) {
    for (pair, value) in partial.chunks_exact_mut(2 * channels).zip(values) {
        pair[c] = value as f32;
        pair[channels + c] = (value - f64::from(pair[c])) as f32;
    }
}

/// What [`put`] has put.
pub(super) fn get(partial: &[f32], channels: usize, c: usize) -> [f64; 2] {
    [0, 2].map(|pair| {
        let (high, low) = (partial[pair * channels + c], partial[(pair + 1) * channels + c]);
        f64::from(high) + f64::from(low)
    })
}

/// Calls `$f::<L>(c)` for blocks of `L` channels beginning at `c`, until all channels are done.
macro_rules! for_blocks {
    ($channels:expr, $c:ident, $L:ident => $body:expr) => {{
        let mut $c = 0;
        while $c + 16 <= $channels {
            const $L: usize = 16;
            $body;
            $c += $L;
        }
        while $c < $channels {
            const $L: usize = 1;
            $body;
            $c += $L;
        }
    }};
}

/// Numbers `c..c + L` of a row.
#[inline(always)]
fn block<const L: usize>(row: &[f32], c: usize) -> &[f32; L] {
    row[c..].first_chunk().expect("the block is inside the row")
}

dispatch! {
    /// Mean and sum of squared deviations of each channel of one shard, into `partial`.
    pub(crate) fn moments(channels: usize, x: &[f32], partial: &mut [f32]) {
        let rows = (x.len() / channels) as f64;
        for_blocks!(channels, c, L => {
            // Deviations from the first row: small next to a large mean.
            let origin = block::<L>(x, c);
            let (mut sum, mut squares) = ([0.0; L], [0.0; L]);
            for row in x.chunks_exact(channels) {
                let x = block::<L>(row, c);
                for l in 0..L {
                    let d = f64::from(x[l]) - f64::from(origin[l]);
                    sum[l] += d;
                    squares[l] += d * d;
                }
            }
            for l in 0..L {
                let mean = f64::from(origin[l]) + sum[l] / rows;
                put(partial, channels, c + l, [mean, squares[l] - sum[l] * sum[l] / rows]);
            }
        });
    }

    /// `y = (x - mean) * scale + bias`
    pub(crate) fn normalize(x: &[f32], mean: &[f32], scale: &[f32], bias: &[f32], y: &mut [f32]) {
        let channels = mean.len();
        let (scale, bias) = (&scale[..channels], &bias[..channels]);
        for (x, y) in x.chunks_exact(channels).zip(y.chunks_exact_mut(channels)) {
            for c in 0..channels {
                y[c] = (x[c] - mean[c]) * scale[c] + bias[c];
            }
        }
    }

    /// The sums of `d_y` and of `d_y` times normalised `x` over one shard, into `partial`.
    pub(crate) fn gradient_sums(
        x: &[f32],
        mean: &[f32],
        inverse_std: &[f32],
        d_y: &[f32],
        partial: &mut [f32],
    ) {
        let channels = mean.len();
        for_blocks!(channels, c, L => {
            let (mean, inverse_std) = (block::<L>(mean, c), block::<L>(inverse_std, c));
            let (mut sum, mut products) = ([0.0; L], [0.0; L]);
            for (x, d_y) in x.chunks_exact(channels).zip(d_y.chunks_exact(channels)) {
                let (x, d_y) = (block::<L>(x, c), block::<L>(d_y, c));
                for l in 0..L {
                    let normalized = (x[l] - mean[l]) * inverse_std[l];
                    sum[l] += f64::from(d_y[l]);
                    products[l] += f64::from(d_y[l]) * f64::from(normalized);
                }
            }
            for l in 0..L {
                put(partial, channels, c + l, [sum[l], products[l]]);
            }
        });
    }

    /// `d_x = scale * (d_y - mean_d - normalised x * mean_product)`
    pub(crate) fn normalize_backward(
        x: &[f32],
        statistics: Statistics<'_>,
        scale: &[f32],
        d_y: &[f32],
        d_x: &mut [f32],
    ) {
        let Statistics { mean, inverse_std, mean_d, mean_product } = statistics;
        let channels = mean.len();
        let (inverse_std, scale) = (&inverse_std[..channels], &scale[..channels]);
        let (mean_d, mean_product) = (&mean_d[..channels], &mean_product[..channels]);
        let rows = x.chunks_exact(channels).zip(d_y.chunks_exact(channels));
        for ((x, d_y), d_x) in rows.zip(d_x.chunks_exact_mut(channels)) {
            for c in 0..channels {
                let normalized = (x[c] - mean[c]) * inverse_std[c];
                d_x[c] = scale[c] * (d_y[c] - mean_d[c] - normalized * mean_product[c]);
            }
        }
    }
}

/// What all shards share, one number per channel of each.
#[derive(Clone, Copy)]
pub(crate) struct Statistics<'a> {
    /// The batch's mean.
    pub(crate) mean: &'a [f32],
    /// `1 / sqrt(variance + eps)`
    pub(crate) inverse_std: &'a [f32],
    /// The mean of `d_y`.
    pub(crate) mean_d: &'a [f32],
    /// The mean of `d_y` times normalised `x`.
    pub(crate) mean_product: &'a [f32],
}

impl<'a> Statistics<'a> {
    /// Numbers that hold the statistics of all channels.
    pub(crate) const fn len(channels: usize) -> usize {
        4 * channels
    }

    /// The statistics in shared memory; the latter two are there from the second phase of backward on.
    pub(crate) fn of(shared: &'a [f32]) -> Self {
        let (forward, backward) = shared.split_at(shared.len() / 2);
        let (mean, inverse_std) = forward.split_at(forward.len() / 2);
        let (mean_d, mean_product) = backward.split_at(backward.len() / 2);
        Self { mean, inverse_std, mean_d, mean_product }
    }
}

/// The averages that inference uses.
pub(crate) struct Running<'a> {
    pub(crate) mean: &'a mut [f32],
    pub(crate) variance: &'a mut [f32],
    /// How much of them a batch replaces.
    pub(crate) momentum: f64,
}

/// How many rows all shards have.
#[cfg(feature = "train")]
fn all_rows(shards: Shards<'_>) -> f64 {
    (0..shards.count()).map(|shard| rows(shards.shard_sums(shard)) as f64).sum()
}

/// Joins the [`moments`] of all shards: writes the first half of the shared [`Statistics`] and moves the
/// running ones.
#[cfg(feature = "train")]
pub(crate) fn join_moments(
    eps: f64,
    shards: Shards<'_>,
    shared: &mut [f32],
    running: &mut Running<'_>,
) {
    let channels = running.mean.len();
    let count = all_rows(shards);
    for c in 0..channels {
        let [mean, squares] = joined_moments(shards, channels, c);
        shared[c] = mean as f32;
        shared[channels + c] = (1.0 / (squares / count.max(1.0) + eps).sqrt()) as f32;
        // Short sequences may leave fewer rows than a variance needs.
        if count < 2.0 {
            continue;
        }
        let toward = |old: f32, new: f64| {
            (f64::from(old) + (new - f64::from(old)) * running.momentum) as f32
        };
        let (old_mean, old_variance) = (running.mean[c], running.variance[c]);
        running.mean[c] = toward(old_mean, mean);
        running.variance[c] = toward(old_variance, squares / (count - 1.0));
    }
}

/// Mean and sum of squared deviations of one channel over all shards.
#[cfg(feature = "train")]
fn joined_moments(shards: Shards<'_>, channels: usize, c: usize) -> [f64; 2] {
    let (mut count, mut joined) = (0, [0.0; 2]);
    for shard in 0..shards.count() {
        let partial = shards.shard_sums(shard);
        joined = join([count, rows(partial)], joined, get(partial, channels, c));
        count += rows(partial);
    }
    let [mean, squares] = joined;
    // Rounding may leave a little less than 0; NaN stays.
    [mean, if squares < 0.0 { 0.0 } else { squares }]
}

/// Mean and sum of squared deviations of two sets of rows together (Chan, Golub and LeVeque, 1979).
fn join(counts: [usize; 2], [mean, squares]: [f64; 2], [other_mean, other]: [f64; 2]) -> [f64; 2] {
    match counts {
        [0, _] => [other_mean, other],
        [_, 0] => [mean, squares],
        _ => {
            let [count, other_count] = counts.map(|count| count as f64);
            let (all, apart) = (count + other_count, other_mean - mean);
            let between = apart * apart * count * other_count / all;
            [mean + apart * other_count / all, squares + (other + between)]
        }
    }
}

/// Adds the [`moments`] of some more rows to those of a shard, which has `rows` of them.
pub(crate) fn add_moments(channels: usize, x: &[f32], partial: &mut [f32], more: &mut [f32]) {
    let counts = [rows(partial), x.len() / channels];
    if counts[1] == 0 {
        return;
    }
    moments(channels, x, more);
    for c in 0..channels {
        let joined = join(counts, get(partial, channels, c), get(more, channels, c));
        put(partial, channels, c, joined);
    }
    put_rows(partial, counts[0] + counts[1]);
}

/// Adds the [`gradient_sums`] of some more rows to those of a shard.
pub(crate) fn add_gradient_sums(channels: usize, partial: &mut [f32], more: &[f32]) {
    for c in 0..channels {
        let [sum, product] = get(partial, channels, c);
        let [more_sum, more_product] = get(more, channels, c);
        put(partial, channels, c, [sum + more_sum, product + more_product]);
    }
}

/// Joins the [`gradient_sums`] of all shards: writes the second half of the shared [`Statistics`].
#[cfg(feature = "train")]
pub(crate) fn join_gradient_sums(shards: Shards<'_>, shared: &mut [f32]) {
    let (_, shared) = shared.split_at_mut(shared.len() / 2);
    let channels = shared.len() / 2;
    let count = all_rows(shards).max(1.0);
    for c in 0..channels {
        let [sum, product] = joined_gradient_sums(shards, channels, c);
        shared[c] = (sum / count) as f32;
        shared[channels + c] = (product / count) as f32;
    }
}

#[cfg(feature = "train")]
fn joined_gradient_sums(shards: Shards<'_>, channels: usize, c: usize) -> [f64; 2] {
    (0..shards.count()).fold([0.0; 2], |[sum, product], shard| {
        let [other_sum, other_product] = get(shards.shard_sums(shard), channels, c);
        [sum + other_sum, product + other_product]
    })
}

/// The gradients of weight and bias from the [`gradient_sums`] of all shards.
#[cfg(feature = "train")]
pub(crate) fn gradient(shards: Shards<'_>, d_weight: &mut [f32], d_bias: &mut [f32]) {
    let channels = d_weight.len();
    for (c, (d_weight, d_bias)) in d_weight.iter_mut().zip(d_bias).enumerate() {
        let [sum, product] = joined_gradient_sums(shards, channels, c);
        *d_weight = product as f32;
        *d_bias = sum as f32;
    }
}
