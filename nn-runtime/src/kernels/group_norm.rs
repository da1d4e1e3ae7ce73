//! Normalisation of groups of channels of `[positions, C]`; positions are a sample's pixels or steps.

use super::dispatch::dispatch;
use super::norm;
#[cfg(not(feature = "std"))]
use crate::system::FloatMath;

/// The normalisation of a sample.
#[derive(Clone, Copy, Debug)]
pub(crate) struct GroupNorm {
    /// Channels of a position.
    pub(crate) channels: usize,
    /// The number of groups that they are split into.
    pub(crate) groups: usize,
    /// Added to the variance.
    pub(crate) eps: f64,
    /// Whether the mean is subtracted. Without that, the variance is the mean of the squares.
    pub(crate) centred: bool,
}

/// The forward pass of one sample.
pub(crate) struct GroupNormForward<'a> {
    /// `[positions, C]`
    pub(crate) x: &'a [f32],
    /// `[C]`, or empty.
    pub(crate) weight: &'a [f32],
    /// `[C]`, or empty.
    pub(crate) bias: &'a [f32],
    /// `[positions, C]`, overwritten.
    pub(crate) y: &'a mut [f32],
    /// [`GroupNorm::saved_len`] elements, overwritten.
    pub(crate) saved: &'a mut [f32],
    /// [`GroupNorm::scratch_len`] elements.
    pub(crate) scratch: &'a mut [f32],
}

/// The backward pass of one sample.
pub(crate) struct GroupNormBackward<'a> {
    /// `[positions, C]`
    pub(crate) x: &'a [f32],
    /// `[C]`, or empty.
    pub(crate) weight: &'a [f32],
    /// What the forward pass saved.
    pub(crate) saved: &'a [f32],
    /// `[positions, C]`
    pub(crate) d_y: &'a [f32],
    /// The gradient of the input, overwritten.
    pub(crate) d_x: Option<&'a mut [f32]>,
    /// The gradient of the weight, which is added to; `[C]`, or empty.
    pub(crate) d_weight: &'a mut [f32],
    /// The gradient of the bias, which is added to; `[C]`, or empty.
    pub(crate) d_bias: &'a mut [f32],
    /// [`GroupNorm::scratch_len`] elements.
    pub(crate) scratch: &'a mut [f32],
}

impl GroupNorm {
    /// Elements that are saved of a sample: mean and inverse standard deviation of each group.
    pub(crate) const fn saved_len(&self) -> usize {
        2 * self.groups
    }

    /// Elements that a function needs while it runs, not counting [`Self::saved_len`].
    pub(crate) const fn scratch_len(&self) -> usize {
        norm::sums_len(self.channels) + 4 * self.channels
    }

    /// Channels of one group.
    const fn size(&self) -> usize {
        self.channels / self.groups
    }

    /// Mean and inverse standard deviation of each group, from the moments of its channels, which have as many elements
    /// each (Chan, Golub and LeVeque, 1979).
    fn join_moments(&self, moments: &[f32], positions: usize, saved: &mut [f32]) {
        let (size, positions) = (self.size(), positions as f64);
        for (group, saved) in saved.chunks_exact_mut(2).enumerate() {
            let channels = group * size..(group + 1) * size;
            let of = |c| norm::get(moments, self.channels, c);
            // Channels have equally many elements, so that the mean of their means is the group's mean.
            let mean = channels.clone().map(|c| of(c)[0]).sum::<f64>() / size as f64;
            let mean = if self.centred { mean } else { 0.0 };
            let squares = channels.map(|c| of(c)[1] + positions * (of(c)[0] - mean).powi(2));
            let squares: f64 = squares.sum();
            // Rounding may leave a little less than 0; NaN must remain.
            let squares = if squares < 0.0 { 0.0 } else { squares };
            saved[0] = mean as f32;
            // The biased variance, as in PyTorch.
            saved[1] = (1.0 / (squares / (positions * size as f64) + self.eps).sqrt()) as f32;
        }
    }

    /// Broadcasts element `nth` of what is saved of each group to the channels of the group.
    fn spread(&self, saved: &[f32], nth: usize, channels: &mut [f32]) {
        for (channels, saved) in channels.chunks_exact_mut(self.size()).zip(saved.chunks_exact(2)) {
            channels.fill(saved[nth]);
        }
    }

    /// The forward pass of one sample.
    pub(crate) fn forward(&self, call: GroupNormForward<'_>) {
        let GroupNormForward { x, weight, bias, y, saved, scratch } = call;
        let (sums, scratch) = scratch.split_at_mut(norm::sums_len(self.channels));
        norm::moments(self.channels, x, sums);
        self.join_moments(sums, x.len() / self.channels, saved);
        // With statistics per channel the rest is the same loop as in batch normalisation.
        let [mean, scale, biases, _] = parts(self.channels, scratch);
        self.spread(saved, 0, mean);
        self.spread(saved, 1, scale);
        scale.iter_mut().zip(weight).for_each(|(scale, weight)| *scale *= weight);
        biases.fill(0.0);
        biases[..bias.len()].copy_from_slice(bias);
        norm::normalize(x, mean, scale, biases, y);
    }

    /// The backward pass of one sample.
    pub(crate) fn backward(&self, call: GroupNormBackward<'_>) {
        let GroupNormBackward { x, weight, saved, d_y, d_x, d_weight, d_bias, scratch } = call;
        let (sums, scratch) = scratch.split_at_mut(norm::sums_len(self.channels));
        let [mean, inverse_std, mean_d, slope] = parts(self.channels, scratch);
        self.spread(saved, 0, mean);
        self.spread(saved, 1, inverse_std);
        norm::gradient_sums(x, mean, inverse_std, d_y, sums);
        let sums = |c| norm::get(sums, self.channels, c);
        // A layer has weight and bias, or neither: then both slices are empty, and the loop does nothing.
        for (c, (d_weight, d_bias)) in d_weight.iter_mut().zip(d_bias).enumerate() {
            *d_bias += sums(c)[0] as f32;
            *d_weight += sums(c)[1] as f32;
        }
        let Some(d_x) = d_x else { return };
        let count = (x.len() / self.groups) as f64;
        for group in 0..self.groups {
            let channels = group * self.size()..(group + 1) * self.size();
            // The weight of a channel is a factor of its gradient inside of the group.
            let [sum, product] = channels.clone().fold([0.0; 2], |all, c| {
                let weight = f64::from(*weight.get(c).unwrap_or(&1.0));
                [0, 1].map(|i| all[i] + weight * sums(c)[i])
            });
            let mean = if self.centred { sum / count } else { 0.0 };
            mean_d[channels.clone()].fill(mean as f32);
            slope[channels].fill((product / count) as f32);
        }
        // `normalize_backward` expects `weight * d_y`, which without a weight is `d_y`.
        d_x.copy_from_slice(d_y);
        scale_channels(self.channels, weight, d_x);
        normalize_backward(x, [mean, inverse_std, mean_d, slope], d_x);
    }
}

/// Four slices of one element for each channel.
fn parts(channels: usize, scratch: &mut [f32]) -> [&mut [f32]; 4] {
    let mut rest = scratch;
    [(); 4].map(|()| rest.split_off_mut(..channels).expect("scratch of this length"))
}

dispatch! {
    /// Multiplies each channel by its weight, unless `weight` is empty.
    fn scale_channels(channels: usize, weight: &[f32], values: &mut [f32]) {
        for values in values.chunks_exact_mut(channels) {
            values.iter_mut().zip(weight).for_each(|(value, weight)| *value *= weight);
        }
    }

    /// `d_x = inverse_std * (d_x - mean_d - normalised x * slope)`, where `d_x` is `weight * d_y` on entry.
    fn normalize_backward(x: &[f32], channels: [&mut [f32]; 4], d_x: &mut [f32]) {
        let [mean, inverse_std, mean_d, slope] = channels;
        let len = mean.len();
        let (inverse_std, mean_d) = (&inverse_std[..len], &mean_d[..len]);
        let slope = &slope[..len];
        for (x, d_x) in x.chunks_exact(len).zip(d_x.chunks_exact_mut(len)) {
            for c in 0..len {
                let normalised = (x[c] - mean[c]) * inverse_std[c];
                d_x[c] = inverse_std[c] * (d_x[c] - mean_d[c] - normalised * slope[c]);
            }
        }
    }
}
