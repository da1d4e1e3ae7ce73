//! Batch normalisation: sums over all rows of `[rows, C]`, channel by channel, and what is computed from them.
//!
//! Sums are computed and joined in `f64`, in a fixed order, so that neither a large mean nor the split into shards
//! affects the result.

use super::dispatch::dispatch;
use super::isa::mul_add;
#[cfg(feature = "train")]
use crate::memory::Shards;

/// Elements that hold [`moments`] or [`gradient_sums`] of one shard, and its number of rows.
pub(crate) const fn sums_len(channels: usize) -> usize {
    4 * channels + 1
}

fn put_rows(sums: &mut [f32], rows: usize) {
    let last = sums.len() - 1;
    // As bits, since an `f32` counts exactly only up to 2^24.
    sums[last] = f32::from_bits(rows as u32);
}

/// The number of rows of a shard.
fn rows(sums: &[f32]) -> usize {
    sums[sums.len() - 1].to_bits() as usize
}

/// `2^160`: the largest sum of squares of as many `f32` as memory can hold, divided by it, is an `f32`.
const BEYOND_F32: f64 = f64::from_bits((1023 + 160) << 52);

/// An `f64` as two `f32`, which hold 48 of its 53 bits: rounded, and the rounding error of that. A finite value beyond
/// the largest `f32` is infinity and the value divided by [`BEYOND_F32`].
fn split(value: f64) -> [f32; 2] {
    let high = value as f32;
    let low = if high.is_infinite() && value.is_finite() {
        value / BEYOND_F32
    } else {
        value - f64::from(high)
    };
    [high, low as f32]
}

/// The value that [`split`] was given.
fn unsplit([high, low]: [f32; 2]) -> f64 {
    if high.is_infinite() && low.is_finite() {
        return f64::from(low) * BEYOND_F32;
    }
    f64::from(high) + f64::from(low)
}

/// Stores two `f64` per channel, as [`split`] does: the memory of shards is `f32`.
fn put(sums: &mut [f32], channels: usize, c: usize, values: [f64; 2]) {
    for (pair, value) in sums.chunks_exact_mut(2 * channels).zip(values) {
        [pair[c], pair[channels + c]] = split(value);
    }
}

/// The values that [`put`] stored, channel by channel.
#[cfg(feature = "train")]
fn all_values(sums: &[f32], channels: usize) -> impl Iterator<Item = [f64; 2]> {
    let (first, second) = sums[..4 * channels].split_at(2 * channels);
    let [first, second] = [first, second].map(|pair| {
        let (high, low) = pair.split_at(channels);
        high.iter().zip(low).map(|(high, low)| unsplit([*high, *low]))
    });
    first.zip(second).map(|(first, second)| [first, second])
}

/// The values that [`put`] stored for one channel.
pub(super) fn get(sums: &[f32], channels: usize, c: usize) -> [f64; 2] {
    [0, 2].map(|pair| unsplit([sums[pair * channels + c], sums[(pair + 1) * channels + c]]))
}

/// Evaluates `$body` for blocks of `L` channels beginning at `c`: 16 as long as there are so many, then 1. A block of
/// 16 channels is a cache line of each row. Its sums stay in registers while all rows pass, and constant numbers of
/// channels become vectors.
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

/// Elements `c..c + L` of a row.
#[inline(always)]
fn block<const L: usize>(row: &[f32], c: usize) -> &[f32; L] {
    row[c..].first_chunk().expect("the block is inside the row")
}

dispatch! {
    /// Mean and sum of squares around it of each channel of one shard, into `sums`.
    pub(crate) fn moments(channels: usize, x: &[f32], sums: &mut [f32]) {
        let rows = (x.len() / channels) as f64;
        for_blocks!(channels, c, L => {
            // Differences from the first row: they are small also where the mean is large, so that nothing cancels.
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
                // Shifted data (Chan, Golub and LeVeque, 1983): a single pass over the rows, not one for the mean and
                // one for the squares.
                put(sums, channels, c + l, [mean, squares[l] - sum[l] * sum[l] / rows]);
            }
        });
    }

    /// `y = (x - mean) * scale + bias`
    pub(crate) fn normalize<L>(
        x: &[f32],
        mean: &[f32],
        scale: &[f32],
        bias: &[f32],
        y: &mut [f32],
    ) {
        let channels = mean.len();
        let (scale, bias) = (&scale[..channels], &bias[..channels]);
        for (x, y) in x.chunks_exact(channels).zip(y.chunks_exact_mut(channels)) {
            for c in 0..channels {
                // Not `x * scale + (bias - mean * scale)`, which cancels where the mean is large.
                y[c] = mul_add::<L>(x[c] - mean[c], scale[c], bias[c]);
            }
        }
    }

    /// The sums of `d_y` and of `d_y` times normalised `x` over one shard, into `sums`.
    pub(crate) fn gradient_sums(
        x: &[f32],
        mean: &[f32],
        inverse_std: &[f32],
        d_y: &[f32],
        sums: &mut [f32],
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
                put(sums, channels, c + l, [sum[l], products[l]]);
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

/// The statistics of the batch, one element per channel of each.
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
    /// Elements that hold the statistics of all channels.
    pub(crate) const fn len(channels: usize) -> usize {
        4 * channels
    }

    /// The statistics that [`join_moments`] and, for the second phase of the backward pass, [`join_gradient_sums`]
    /// wrote.
    pub(crate) fn of(statistics: &'a [f32]) -> Self {
        let (forward, backward) = statistics.split_at(statistics.len() / 2);
        let (mean, inverse_std) = forward.split_at(forward.len() / 2);
        let (mean_d, mean_product) = backward.split_at(backward.len() / 2);
        Self { mean, inverse_std, mean_d, mean_product }
    }
}

/// The running statistics that inference uses.
pub(crate) struct Running<'a> {
    pub(crate) mean: &'a mut [f32],
    pub(crate) variance: &'a mut [f32],
    /// The fraction of them that a batch replaces.
    pub(crate) momentum: f64,
}

/// Writes the number of rows of all shards, and two values per channel, which `join` computes from those of all shards and
/// which begin with zeros: `join([rows so far, rows], values so far, values)`.
#[cfg(feature = "train")]
fn write_joined(
    shards: Shards<'_>,
    sums: &mut [f64],
    join: impl Fn([usize; 2], [f64; 2], [f64; 2]) -> [f64; 2],
) {
    let (count, sums) = sums.split_at_mut(1);
    let (channels, mut rows_before) = (sums.len() / 2, 0);
    // In the order of the shards: the same bits on any number of threads. All channels of a shard at a time, since those of
    // one channel are far apart.
    for shard in (0..shards.count()).filter(|shard| shards.samples(*shard) > 0) {
        let of_shard = shards.shard_sums(shard);
        let counts = [rows_before, rows(of_shard)];
        for (joined, values) in sums.chunks_exact_mut(2).zip(all_values(of_shard, channels)) {
            joined.copy_from_slice(&join(counts, [joined[0], joined[1]], values));
        }
        rows_before += counts[1];
    }
    count[0] = rows_before as f64;
}

/// Joins what [`write_joined`] wrote with that of other shards.
#[cfg(feature = "train")]
fn merge_joined(
    left: &mut [f64],
    right: &[f64],
    join: impl Fn([usize; 2], [f64; 2], [f64; 2]) -> [f64; 2],
) {
    let counts = [left[0] as usize, right[0] as usize];
    for (left, right) in left[1..].chunks_exact_mut(2).zip(right[1..].chunks_exact(2)) {
        let joined = join(counts, [left[0], left[1]], [right[0], right[1]]);
        left.copy_from_slice(&joined);
    }
    left[0] += right[0];
}

/// Joins the [`moments`] of all shards: writes the first half of the [`Statistics`] and moves the
/// running ones.
#[cfg(feature = "train")]
pub(crate) fn join_moments(
    eps: f64,
    shards: Shards<'_>,
    statistics: &mut [f32],
    running: &mut Running<'_>,
) {
    let len = 1 + 2 * running.mean.len();
    shards.sum_leaves(
        len,
        |shards, sums| write_joined(shards, sums, join),
        |left, right| merge_joined(left, right, join),
        |sums| set_moments(eps, sums, statistics, running),
    );
}

/// Writes what [`join_moments`] does from the number of rows, and mean and sum of squares of each channel.
#[cfg(feature = "train")]
fn set_moments(eps: f64, sums: &[f64], statistics: &mut [f32], running: &mut Running<'_>) {
    let (channels, count) = (running.mean.len(), sums[0]);
    for (c, values) in sums[1..].chunks_exact(2).enumerate() {
        // Rounding may leave a little less than 0; NaN must remain.
        let (mean, squares) = (values[0], if values[1] < 0.0 { 0.0 } else { values[1] });
        statistics[c] = mean as f32;
        // The batch is normalised with the biased variance; the running one below is unbiased. Both as in PyTorch.
        statistics[channels + c] = (1.0 / (squares / count.max(1.0) + eps).sqrt()) as f32;
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

/// Mean and sum of squares around it of two sets of rows together (Chan, Golub and LeVeque, 1979).
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

/// Joins the [`moments`] of further rows with those of a shard.
pub(crate) fn add_moments(channels: usize, x: &[f32], sums: &mut [f32], more: &mut [f32]) {
    let counts = [rows(sums), x.len() / channels];
    match counts {
        // A sequence without steps has no first row, which `moments` reads.
        [_, 0] => return,
        [0, _] => moments(channels, x, sums),
        _ => {
            moments(channels, x, more);
            for c in 0..channels {
                let joined = join(counts, get(sums, channels, c), get(more, channels, c));
                put(sums, channels, c, joined);
            }
        }
    }
    put_rows(sums, counts[0] + counts[1]);
}

/// Adds the [`gradient_sums`] of further rows to those of a shard.
pub(crate) fn add_gradient_sums(channels: usize, sums: &mut [f32], more: &[f32]) {
    for c in 0..channels {
        let [sum, product] = get(sums, channels, c);
        let [more_sum, more_product] = get(more, channels, c);
        put(sums, channels, c, [sum + more_sum, product + more_product]);
    }
}

/// Joins the [`gradient_sums`] of all shards: writes the second half of the [`Statistics`].
#[cfg(feature = "train")]
pub(crate) fn join_gradient_sums(shards: Shards<'_>, statistics: &mut [f32]) {
    let (_, statistics) = statistics.split_at_mut(statistics.len() / 2);
    let channels = statistics.len() / 2;
    shards.sum_leaves(
        1 + 2 * channels,
        |shards, sums| write_joined(shards, sums, add),
        |left, right| merge_joined(left, right, add),
        |sums| {
            // All sequences of a batch may be empty; then the sums are 0.
            let count = sums[0].max(1.0);
            for (c, values) in sums[1..].chunks_exact(2).enumerate() {
                statistics[c] = (values[0] / count) as f32;
                statistics[channels + c] = (values[1] / count) as f32;
            }
        },
    );
}

/// The sums over two sets of rows together.
#[cfg(feature = "train")]
fn add(_: [usize; 2], [sum, product]: [f64; 2], [other_sum, other_product]: [f64; 2]) -> [f64; 2] {
    [sum + other_sum, product + other_product]
}

/// The gradients of weight and bias from the [`gradient_sums`] of all shards, added if [`Shards::adds`].
#[cfg(feature = "train")]
pub(crate) fn gradient(shards: Shards<'_>, d_weight: &mut [f32], d_bias: &mut [f32]) {
    let channels = d_weight.len();
    let d_both = d_weight.chunks_mut(16).zip(d_bias.chunks_mut(16));
    for (block, (d_weight, d_bias)) in d_both.enumerate() {
        let mut sums = [[0.0; 2]; 16];
        // As in `write_joined`: in the order of the shards, and some channels of a shard at a time.
        for shard in (0..shards.count()).map(|shard| shards.shard_sums(shard)) {
            for (l, sums) in sums[..d_weight.len()].iter_mut().enumerate() {
                *sums = add([0; 2], *sums, get(shard, channels, 16 * block + l));
            }
        }
        for (([sum, product], d_weight), d_bias) in sums.iter().zip(d_weight).zip(d_bias) {
            for (d, found) in [(d_weight, product), (d_bias, sum)] {
                *d = if shards.adds() { *d + *found as f32 } else { *found as f32 };
            }
        }
    }
}
