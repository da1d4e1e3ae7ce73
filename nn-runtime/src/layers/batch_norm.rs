//! [`BatchNorm`]: PyTorch's `nn.BatchNorm1d`, `nn.BatchNorm2d` and `nn.BatchNorm3d`, channels last.

#[cfg(feature = "train")]
use super::ragged::runs;
#[cfg(feature = "train")]
use crate::contract::{Backward, Forward, TrainNode};
use crate::contract::{Infer, Node, NormalizationNode, Spec, Streaming};
#[cfg(feature = "train")]
use crate::kernels::norm::{Running, Statistics};
use crate::kernels::{Normalization, norm};
#[cfg(feature = "train")]
use crate::memory::{Shards, TrainCtx};
#[cfg(not(feature = "std"))]
use crate::system::FloatMath;
#[cfg(feature = "train")]
use crate::system::RngKey;
#[cfg(feature = "train")]
use crate::types::Steps;
#[cfg(feature = "std")]
use crate::types::{LayerOrder, Tensor, layer_tensors};
use crate::types::{WeightSlice, Weights};
#[cfg(feature = "train")]
use core::ops::Range;
use unrolled_shape::rules::batch_norm;

/// `(x - mean) / sqrt(variance + eps) * weight + bias`, channel by channel: `[.., C] -> [.., C]` (Ioffe and Szegedy,
/// 2015).
///
/// Training uses the mean and the variance of the batch over all axes but the last, and updates the running averages
/// with them: as in PyTorch, it normalises with the biased variance and averages the unbiased one. Inference uses the
/// running averages.
///
/// Steps after the end of a sequence are ignored. A batch with fewer than two valid steps in all leaves the running
/// averages unchanged.
#[derive(Clone, Debug, PartialEq)]
#[repr(C)]
pub struct BatchNorm<const C: usize, const AFFINE: usize = C> {
    /// One for each channel, or none.
    pub weight: [f32; AFFINE],
    /// One for each channel, or none.
    pub bias: [f32; AFFINE],
    /// The running average of the means. Not trained.
    pub running_mean: [f32; C],
    /// The running average of the variances. Not trained.
    pub running_var: [f32; C],
    /// The number of training steps so far. It stops at 2^24, the largest count that an `f32` can be increased to, and is
    /// rounded to an `f32` when read from a file. Nothing depends on it: `momentum` is constant. Not trained.
    pub num_batches_tracked: f32,
}

// SAFETY: `repr(C)`, `f32`s and arrays of `f32` only.
unsafe impl<const C: usize, const AFFINE: usize> Weights for BatchNorm<C, AFFINE> {}

impl<const C: usize, const AFFINE: usize> BatchNorm<C, AFFINE> {
    /// Writes the inverse standard deviation of each channel by the running averages.
    fn write_inverse_std(&self, eps: f32, inverse_std: &mut [f32]) {
        for (inverse_std, variance) in inverse_std.iter_mut().zip(&self.running_var) {
            // Batches of values above about 1e19 have a variance beyond `f32`. NaN and not 0, which would yield the bias
            // whatever the input is.
            let variance = if *variance == f32::INFINITY { f32::NAN } else { *variance };
            *inverse_std = 1.0 / (variance + eps).sqrt();
        }
    }

    /// Writes `inverse_std * weight` and the bias to the first `2 C` elements of `scratch`.
    fn scale_and_bias<'a>(
        &self,
        inverse_std: &[f32],
        scratch: &'a mut [f32],
    ) -> (&'a [f32], &'a [f32]) {
        let (scale, rest) = scratch.split_at_mut(C);
        let bias = &mut rest[..C];
        scale.copy_from_slice(inverse_std);
        bias.fill(0.0);
        for (scale, weight) in scale.iter_mut().zip(&self.weight) {
            *scale *= weight;
        }
        bias[..AFFINE].copy_from_slice(&self.bias);
        (scale, bias)
    }
}

impl<S, const C: usize, const AFFINE: usize> Node<S> for BatchNorm<C, AFFINE>
where
    S: Spec<Arguments = batch_norm::BatchNorm>,
{
    /// Inverse standard deviation, scale and bias of each channel; or the scales of up to three layers in a depthwise separable
    /// convolution, whose largest layer this is.
    const SCRATCH: usize = 3 * C;

    #[cfg(feature = "std")]
    fn file_tensors(order: &LayerOrder) -> Vec<Tensor> {
        layer_tensors(order, &|sink| S::ARGUMENTS.tensors(S::INPUTS, sink))
    }

    fn infer(&self, Infer { x, y, ctx, .. }: Infer<'_>) {
        let (inverse_std, scratch) = ctx.scratch.split_at_mut(C);
        self.write_inverse_std(S::ARGUMENTS.eps as f32, inverse_std);
        let (scale, bias) = self.scale_and_bias(inverse_std, scratch);
        norm::normalize(x[0], &self.running_mean, scale, bias, y);
    }
}

impl<S, const C: usize, const AFFINE: usize> NormalizationNode<S> for BatchNorm<C, AFFINE>
where
    S: Spec<Arguments = batch_norm::BatchNorm>,
{
    fn normalization<'a>(&'a self, scratch: &mut &'a mut [f32]) -> Normalization<'a> {
        let scale = scratch.split_off_mut(..C).expect("scratch memory for each channel");
        self.write_inverse_std(S::ARGUMENTS.eps as f32, scale);
        for (scale, weight) in scale.iter_mut().zip(&self.weight) {
            *scale *= weight;
        }
        Normalization { mean: &self.running_mean, scale, bias: &self.bias }
    }
}

impl<S, const C: usize, const AFFINE: usize> Streaming<S> for BatchNorm<C, AFFINE> where
    S: Spec<Arguments = batch_norm::BatchNorm>
{
}

#[cfg(feature = "train")]
impl<S, const C: usize, const AFFINE: usize> TrainNode<S> for BatchNorm<C, AFFINE>
where
    S: Spec<Arguments = batch_norm::BatchNorm>,
{
    /// The first computes sums over the batch, the second normalises with them.
    const PHASES: usize = 2;
    /// A variance needs two values per channel.
    const MIN_BATCH: usize = if S::IN > C { 1 } else { 2 };
    /// The sums of a shard, and the number of its rows.
    const SHARD_SUMS: usize = norm::sums_len(C);
    /// The statistics of the batch.
    const PREPARED: usize = Statistics::len(C);
    /// The sums of one sample, or scale and bias of each channel.
    const TRAIN_SCRATCH: usize = norm::sums_len(C);
    const GRADIENT_TASKS: usize = 1;

    fn initialise(&mut self, _key: RngKey) {
        self.weight.fill(1.0);
        self.running_var.fill(1.0);
    }

    /// The statistics of inference, with the means of gradients that leave `d_y` as it is. In training those of the batch take
    /// their place, unless the layer is frozen.
    fn prepare(&self, prepared: &mut [f32]) {
        let (mean, rest) = prepared.split_at_mut(C);
        let (inverse_std, means_of_gradients) = rest.split_at_mut(C);
        mean.copy_from_slice(&self.running_mean);
        self.write_inverse_std(S::ARGUMENTS.eps as f32, inverse_std);
        means_of_gradients.fill(0.0);
    }

    fn forward_shard(&self, Forward { pass, phase, x, y, ctx }: Forward<'_>) {
        if phase == 0 {
            if !pass.trains_weights() {
                return;
            }
            let TrainCtx { lengths, shard_sums, scratch, .. } = ctx;
            return ValidSteps::of::<S>(lengths.of::<S>(0)).moments(C, x[0], shard_sums, scratch);
        }
        let Statistics { mean, inverse_std, .. } = Statistics::of(ctx.prepared);
        let (scale, bias) = self.scale_and_bias(inverse_std, ctx.scratch);
        norm::normalize(x[0], mean, scale, bias, y);
    }

    fn combine_forward(&mut self, _phase: usize, shards: Shards<'_>, prepared: &mut [f32]) {
        let mut running = Running {
            mean: &mut self.running_mean,
            variance: &mut self.running_var,
            momentum: S::ARGUMENTS.momentum,
        };
        norm::join_moments(S::ARGUMENTS.eps, shards, prepared, &mut running);
        self.num_batches_tracked += 1.0;
    }

    fn backward_shard(&self, Backward { pass, phase, x, d_y, d_x, ctx, .. }: Backward<'_, '_>) {
        if phase == 1 && !pass.trains_weights() {
            return;
        }
        let TrainCtx { lengths, shard_sums, scratch, prepared, .. } = ctx;
        let statistics = Statistics::of(prepared);
        let valid = ValidSteps::of::<S>(lengths.of::<S>(0));
        if phase == 1 {
            return valid.gradient_sums(C, x[0], statistics, d_y, [shard_sums, scratch]);
        }
        let Some(d_x) = &mut d_x[0] else { return };
        let (scale, _) = self.scale_and_bias(statistics.inverse_std, scratch);
        norm::normalize_backward(x[0], statistics, scale, d_y, d_x);
        valid.clear_others(d_x);
    }

    fn combine_backward(&self, _phase: usize, shards: Shards<'_>, prepared: &mut [f32]) {
        norm::join_gradient_sums(shards, prepared);
    }

    fn gradient_end(_task: usize) -> usize {
        Self::LEN
    }

    fn gradient(_task: usize, shards: Shards<'_>, d_weights: &mut [f32]) {
        let d = Self::from_floats_mut(d_weights);
        norm::gradient(shards, &mut d.weight, &mut d.bias);
        if shards.adds() {
            return;
        }
        // A gradient has the network's type, but these are not trained.
        d.running_mean.fill(0.0);
        d.running_var.fill(0.0);
        d.num_batches_tracked = 0.0;
    }
}

/// The valid steps of a batch. Its methods are not generic: a network would contain them once for each layer.
#[cfg(feature = "train")]
#[derive(Clone, Copy)]
struct ValidSteps<'a> {
    steps: Steps<'a>,
    /// Steps of a full sample: the length of its first axis.
    full: usize,
    /// Elements of a full sample.
    len: usize,
}

#[cfg(feature = "train")]
impl<'a> ValidSteps<'a> {
    const fn of<S: Spec>(steps: Steps<'a>) -> Self {
        Self { steps, full: S::INPUT.dim(0), len: S::IN }
    }

    /// For samples of equal length: the range of their valid elements, among `len` elements of all samples, and that of the
    /// elements after their ends.
    fn ranges(self, len: usize) -> impl Iterator<Item = [Range<usize>; 2]> {
        runs(self.steps, len / self.len, self.full).map(move |samples| {
            let valid = self.len / self.full * samples.steps;
            [samples.valid(valid, self.len), samples.after_end(valid, self.len)]
        })
    }

    /// The sums of a shard that the mean and the variance are computed from.
    fn moments(self, channels: usize, x: &[f32], sums: &mut [f32], scratch: &mut [f32]) {
        sums.fill(0.0);
        for [valid, _] in self.ranges(x.len()) {
            norm::add_moments(channels, &x[valid], sums, scratch);
        }
    }

    /// The sums of a shard that all gradients are computed from.
    fn gradient_sums(
        self,
        channels: usize,
        x: &[f32],
        Statistics { mean, inverse_std, .. }: Statistics<'_>,
        d_y: &[f32],
        [sums, scratch]: [&mut [f32]; 2],
    ) {
        for (run, [valid, _]) in self.ranges(d_y.len()).enumerate() {
            let (x, d_y) = (&x[valid.clone()], &d_y[valid]);
            if run == 0 {
                norm::gradient_sums(x, mean, inverse_std, d_y, sums);
            } else {
                norm::gradient_sums(x, mean, inverse_std, d_y, scratch);
                norm::add_gradient_sums(channels, sums, scratch);
            }
        }
    }

    /// Writes zeros after the end of each sequence.
    fn clear_others(self, d_x: &mut [f32]) {
        for [_, after_end] in self.ranges(d_x.len()) {
            d_x[after_end].fill(0.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::activation::testing::check_close;
    use crate::layers::testing::{Trial, random, spec};

    spec!(Steps: batch_norm::BatchNorm { momentum: 0.25, eps: 1e-3, affine: true }, [&[3, 2]] -> &[3, 2]);
    spec!(Image: batch_norm::BatchNorm { momentum: 0.1, eps: 1e-5, affine: true }, [&[4, 5, 19]] -> &[4, 5, 19]);
    spec!(Features: batch_norm::BatchNorm { momentum: 0.1, eps: 1e-5, affine: false }, [&[7]] -> &[7]);

    #[test]
    fn agrees_with_pytorch() {
        let mut trial = Trial::<Steps, BatchNorm<2>>::random();
        trial.batch = 4;
        // Shards of 3 samples and of 1: their statistics have different weights.
        trial.capacity = 3;
        trial.x[0] = (0..24_u8).map(|i| f32::from(u16::from(i) * 37 % 23) / 4.0 - 2.0).collect();
        trial.d_y = (0..24_u8).map(|i| f32::from(u16::from(i) * 29 % 19) / 8.0 - 1.0).collect();
        TrainNode::<Steps>::initialise(&mut *trial.node, RngKey::new(0));
        trial.node.running_mean = [0.0; 2];
        trial.node.num_batches_tracked = 0.0;
        trial.node.weight = [0.5, -2.0];
        trial.node.bias = [0.25, 1.0];
        let outcome = trial.train();
        check_close(
            &outcome.y,
            &[
                -0.502617897,
                0.0809494687,
                -0.135487215,
                -1.37018295,
                0.231643466,
                3.85389376,
                0.598774147,
                2.40276134,
                0.965904829,
                0.951628919,
                -0.355765624,
                -0.499503498,
                0.0113650571,
                -1.95063592,
                0.378495739,
                3.27344079,
                0.74562642,
                1.82230837,
                1.1127571,
                0.371175952,
                -0.208913352,
                -1.07995647,
                0.15821733,
                4.14412024,
            ],
        );
        check_close(
            &outcome.d_x[0],
            &[
                -0.146129019,
                0.0963359697,
                -0.136631978,
                -0.0685124747,
                -0.127134937,
                -0.142578987,
                -0.117637896,
                -0.307427432,
                -0.108140855,
                -0.472275876,
                0.0265499108,
                -0.63712432,
                0.0360469517,
                -0.801972765,
                0.0455439927,
                -0.876039277,
                0.0550410336,
                -1.04088772,
                0.0645380746,
                1.55141543,
                0.199228841,
                1.38656698,
                0.208725881,
                1.31250047,
            ],
        );
        check_close(&outcome.d_weights[..4], &[1.51441406, -0.281156906, -3.75, 4.125]);
        assert_eq!(outcome.d_weights[4..], [0.0; 5]);
        let BatchNorm { running_mean: [a, b], running_var: [c, d], .. } = *trial.node;
        check_close(&[a, b, c, d], &[0.140625, 0.177083333, 1.54012784, 1.55918561]);
        assert_eq!(trial.node.num_batches_tracked, 1.0);
        check_close(
            &trial.infer(),
            &[
                -0.612166739,
                -1.11823603,
                -0.108711709,
                -3.11971889,
                0.394743321,
                4.08561941,
                0.898198351,
                2.08413655,
                1.40165338,
                0.0826536893,
                -0.410784727,
                -1.91882917,
                0.0926703031,
                -3.92031203,
                0.596125333,
                3.28502626,
                1.09958036,
                1.28354341,
                1.60303539,
                -0.717939454,
                -0.209402715,
                -2.71942231,
                0.294052315,
                4.48591598,
            ],
        );
    }

    #[test]
    fn agrees_with_finite_differences() {
        Trial::<Steps, BatchNorm<2>>::random().with_step(1e-2, 1e-3).check_gradients();
        Trial::<Image, BatchNorm<19>>::random().with_step(1e-2, 1e-3).check_gradients();
        Trial::<Features, BatchNorm<7, 0>>::random().with_step(1e-2, 1e-3).check_gradients();
    }

    #[test]
    fn a_variance_needs_two_values_per_channel() {
        assert_eq!(<BatchNorm<7, 0> as TrainNode<Features>>::MIN_BATCH, 2);
        assert_eq!(<BatchNorm<2> as TrainNode<Steps>>::MIN_BATCH, 1);
    }

    #[test]
    fn is_initialised_as_in_pytorch() {
        let mut layer = <BatchNorm<3> as Weights>::zeros();
        TrainNode::<Steps>::initialise(&mut *layer, RngKey::new(0));
        assert_eq!(layer.as_floats(), [1., 1., 1., 0., 0., 0., 0., 0., 0., 1., 1., 1., 0.]);
    }

    #[test]
    fn inference_yields_nan_where_the_running_variance_is_infinite() {
        let mut trial = Trial::<Features, BatchNorm<7, 0>>::random();
        TrainNode::<Features>::initialise(&mut *trial.node, RngKey::new(0));
        trial.x[0].iter_mut().for_each(|x| *x *= 1e25);
        trial.train();
        assert_eq!(trial.node.running_var, [f32::INFINITY; 7]);
        assert!(trial.infer().iter().all(|y| y.is_nan()));
    }

    /// Mean and variance of each channel over all rows, in `f64`.
    fn statistics(x: &[f32], channels: usize) -> Vec<[f64; 2]> {
        let count = (x.len() / channels) as f64;
        let channel = |c| x.iter().skip(c).step_by(channels).map(|x| f64::from(*x));
        let mean = |c| channel(c).sum::<f64>() / count;
        let variance = |c| channel(c).map(|x| (x - mean(c)).powi(2)).sum::<f64>() / count;
        (0..channels).map(|c| [mean(c), variance(c)]).collect()
    }

    /// A batch of 61 whose channels have very different means.
    fn far_from_zero(capacity: usize) -> Trial<Image, BatchNorm<19>> {
        let mut trial = Trial::<Image, BatchNorm<19>>::random();
        trial.batch = 61;
        trial.capacity = capacity;
        trial.x[0] = random(61 * Image::IN, 8);
        trial.d_y = random(61 * Image::IN, 9);
        for (i, x) in trial.x[0].iter_mut().enumerate() {
            *x += [0.0, 10.0, -1000.0, 1e5][i % 19 % 4];
        }
        trial.node.running_mean.fill(0.0);
        trial.node.running_var.fill(0.0);
        trial
    }

    #[test]
    fn statistics_are_those_of_the_whole_batch() {
        for capacity in [1, 2, 7, 32, 61] {
            let mut trial = far_from_zero(capacity);
            trial.train();
            let count = (61 * 20) as f64;
            for (c, [mean, variance]) in statistics(&trial.x[0], 19).into_iter().enumerate() {
                // After one batch the running statistics are a tenth of the batch's.
                let found_mean = 10.0 * f64::from(trial.node.running_mean[c]);
                let found = 10.0 * f64::from(trial.node.running_var[c]) * (count - 1.0) / count;
                let close =
                    |found: f64, expected: f64| (found - expected).abs() <= 1e-6 * expected.abs();
                assert!(close(found, variance), "channel {c}: expected {variance}, found {found}");
                assert!(close(found_mean, mean) || mean.abs() < 0.1, "{c}: {mean} {found_mean}");
            }
        }
    }

    #[test]
    fn shards_do_not_change_the_result() {
        let whole = far_from_zero(61).train();
        for capacity in [1, 7, 32] {
            let outcome = far_from_zero(capacity).train();
            for (found, expected) in outcome.y.iter().zip(&whole.y) {
                assert!((found - expected).abs() <= 1e-6 * expected.abs().max(1.0));
            }
            let scale = whole.d_x[0].iter().fold(0.0, |max: f32, d| max.max(d.abs()));
            for (found, expected) in outcome.d_x[0].iter().zip(&whole.d_x[0]) {
                assert!((found - expected).abs() <= 1e-6 * scale, "{found} {expected}");
            }
        }
    }

    #[test]
    fn the_count_of_batches_stops_at_the_largest_exact_one() {
        let mut trial = Trial::<Steps, BatchNorm<2>>::random();
        for (before, after) in [(16_777_215.0, 16_777_216.0), (16_777_216.0, 16_777_216.0)] {
            trial.node.num_batches_tracked = before;
            trial.train();
            assert_eq!(trial.node.num_batches_tracked, after);
        }
    }

    #[test]
    fn inference_uses_the_running_averages() {
        let mut trial = Trial::<Features, BatchNorm<7, 0>>::random();
        trial.node.running_mean = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        trial.node.running_var = [1.0, 4.0, 9.0, 16.0, 25.0, 36.0, 49.0];
        for (i, y) in trial.infer().into_iter().enumerate() {
            let c = (i % 7) as f32;
            assert!((y - (trial.x[0][i] - c) / (c + 1.0)).abs() < 1e-5);
        }
    }

    #[test]
    fn a_channel_of_equal_values_is_normalised_to_its_bias() {
        let mut trial = Trial::<Steps, BatchNorm<2>>::random();
        trial.x[0].fill(0.1);
        let outcome = trial.train();
        assert!(outcome.y.chunks_exact(2).all(|y| y == trial.node.bias));
        assert!(outcome.d_x[0].iter().all(|d| d.is_finite()));
    }

    #[test]
    fn nan_affects_only_its_channel() {
        let mut trial = Trial::<Steps, BatchNorm<2>>::random();
        trial.x[0][1] = f32::NAN;
        let outcome = trial.train();
        for (y, d_x) in outcome.y.chunks_exact(2).zip(outcome.d_x[0].chunks_exact(2)) {
            assert!(y[0].is_finite() && y[1].is_nan() && d_x[0].is_finite() && d_x[1].is_nan());
        }
    }

    #[test]
    fn files_have_pytorchs_names() {
        let tensors = <BatchNorm<19> as Node<Image>>::file_tensors(&LayerOrder::default());
        let names: Vec<_> =
            tensors.iter().map(|t| (t.name.as_str(), t.offset, t.axes.len())).collect();
        assert_eq!(
            names,
            [
                ("weight", 0, 1),
                ("bias", 19, 1),
                ("running_mean", 38, 1),
                ("running_var", 57, 1),
                ("num_batches_tracked", 76, 0),
            ]
        );
        assert_eq!(tensors[4].element, crate::types::Element::I64);
        let tensors = <BatchNorm<7, 0> as Node<Features>>::file_tensors(&LayerOrder::default());
        assert_eq!(tensors.len(), 3);
        assert_eq!(tensors[2].offset + 1, <BatchNorm<7, 0> as Weights>::LEN);
    }
}
