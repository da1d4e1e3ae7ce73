//! [`WSConv2d`]: timm's `ScaledStdConv2d`, a convolution with standardised weights, channels last.

use super::convolution::Convolution;
#[cfg(feature = "train")]
use super::train_convolution::TrainConvolution;
#[cfg(feature = "train")]
use crate::contract::{Backward, Forward, TrainNode};
use crate::contract::{Infer, Node, Spec};
#[cfg(feature = "train")]
use crate::init::fan_in_uniform;
use crate::kernels::Geometry;
use crate::kernels::group_norm::{GroupNorm, GroupNormBackward, GroupNormForward};
#[cfg(feature = "train")]
use crate::memory::TrainCtx;
#[cfg(not(feature = "std"))]
use crate::system::FloatMath;
#[cfg(feature = "train")]
use crate::system::RngKey;
#[cfg(feature = "std")]
use crate::types::{LayerOrder, Tensor, layer_tensors};
use crate::types::{Steps, WeightSlice, Weights};
use core::marker::PhantomData;
use unrolled_shape::rules::ws_conv2d;

/// A convolution with weights `(w - mean) / sqrt(variance + eps) * gain / sqrt(count)`, where mean, variance and count
/// are those of the weights of one output channel: `[H, W, C] -> [H', W', F]`.
///
/// Scaled weight standardisation (Brock, De and Smith, 2021), for networks without normalisation. Names and layout in
/// files are those of timm's `ScaledStdConv2d`. `CG` is the number of input channels of one group, `KH x KW` the size
/// of the kernel.
#[derive(Clone, Debug, PartialEq)]
#[repr(C)]
pub struct WSConv2d<
    const F: usize,
    const CG: usize,
    const KH: usize,
    const KW: usize,
    const BIAS: usize = F,
> {
    /// The kernel before standardisation `[KH, KW, CG, F]`; PyTorch's is `[F, CG, KH, KW]`.
    pub weight: [[[[f32; F]; CG]; KW]; KH],
    /// One for each output channel, or none.
    pub bias: [f32; BIAS],
    /// One for each output channel.
    pub gain: [f32; F],
}

// SAFETY: `repr(C)`, arrays of `f32` only.
unsafe impl<const F: usize, const CG: usize, const KH: usize, const KW: usize, const BIAS: usize>
    Weights for WSConv2d<F, CG, KH, KW, BIAS>
{
}

/// The convolution with the standardised weights, with the sizes of one spec.
struct Standardised<S>(PhantomData<S>);

impl<S: Spec<Arguments = ws_conv2d::WSConv2d>> Convolution for Standardised<S> {
    const GEOMETRY: Geometry =
        Geometry::new(S::ARGUMENTS.window(), S::INPUT, S::OUTPUT, S::ARGUMENTS.groups);
    const BIAS: usize = if S::ARGUMENTS.bias { S::OUTPUT.last() } else { 0 };
}

#[cfg(feature = "train")]
impl<S: Spec<Arguments = ws_conv2d::WSConv2d>> TrainConvolution for Standardised<S> {
    // The backward pass of standardisation needs the gradient of the whole weight, in each shard.
    const FEW_WEIGHTS: bool = true;
}

/// The standardised weights and what their backward pass needs, one part after the other.
struct Parts<'a> {
    /// The standardised weights.
    weight: &'a mut [f32],
    /// Mean and inverse standard deviation of each output channel's weights.
    saved: &'a mut [f32],
    /// `gain / sqrt(count)`.
    scale: &'a mut [f32],
}

impl<'a> Parts<'a> {
    /// Cuts `memory`, of [`Standardised::PARTS_LEN`] elements, into the parts.
    fn new(memory: &'a mut [f32], weights: usize, filters: usize) -> Self {
        let (weight, rest) = memory.split_at_mut(weights);
        let (saved, scale) = rest.split_at_mut(2 * filters);
        Self { weight, saved, scale }
    }
}

impl<S: Spec<Arguments = ws_conv2d::WSConv2d>> Standardised<S> {
    /// The weights `[KH * KW * CG, F]` are normalised as an image is by `InstanceNorm`, with one group for each
    /// channel.
    const NORM: GroupNorm = {
        let filters = Self::GEOMETRY.filters;
        GroupNorm { channels: filters, groups: filters, eps: S::ARGUMENTS.eps }
    };
    /// Elements of the weights.
    const WEIGHTS: usize = Self::GEOMETRY.weight_len();
    /// Elements of [`Parts`].
    const PARTS_LEN: usize = Self::WEIGHTS + 3 * Self::GEOMETRY.filters;

    /// `1 / sqrt(count)`.
    fn inverse_sqrt_count() -> f32 {
        let g = const { Self::GEOMETRY };
        1.0 / ((Self::WEIGHTS / g.filters) as f32).sqrt()
    }

    /// Standardises the weights into the [`Parts`] in `memory`; `scratch` has `NORM.scratch_len()` elements.
    fn standardise(weight: &[f32], gain: &[f32], memory: &mut [f32], scratch: &mut [f32]) {
        let Parts { weight: y, saved, scale } =
            Parts::new(memory, Self::WEIGHTS, Self::GEOMETRY.filters);
        let factor = Self::inverse_sqrt_count();
        for (scale, gain) in scale.iter_mut().zip(gain) {
            *scale = gain * factor;
        }
        let (x, weight, bias) = (weight, scale, &[]);
        let call = GroupNormForward { x, weight, bias, y, saved, scratch };
        const { Self::NORM }.forward(call);
    }
}

#[cfg(feature = "train")]
impl<S: Spec<Arguments = ws_conv2d::WSConv2d>> Standardised<S> {
    /// Elements that [`Self::standardise_backward`] needs: a copy of the gradient, an unused gradient of a bias, and
    /// what the kernel needs.
    const BACKWARD_SCRATCH: usize =
        Self::WEIGHTS + Self::GEOMETRY.filters + Self::NORM.scratch_len();

    /// The backward pass of [`Self::standardise`]: replaces the gradient of the standardised weights, `d_weight`, by
    /// that of the weights, and writes that of the gain. `parts` are the [`Parts`].
    fn standardise_backward(
        weight: &[f32],
        parts: &[f32],
        d_weight: &mut [f32],
        d_gain: &mut [f32],
        scratch: &mut [f32],
    ) {
        let (saved, scale) = parts[Self::WEIGHTS..].split_at(2 * d_gain.len());
        let (d_standardised, rest) = scratch.split_at_mut(Self::WEIGHTS);
        let (d_bias, scratch) = rest.split_at_mut(d_gain.len());
        d_standardised.copy_from_slice(d_weight);
        d_gain.fill(0.0);
        let (norm, d_x) = (const { Self::NORM }, Some(d_weight));
        norm.backward(GroupNormBackward {
            x: weight,
            weight: scale,
            saved,
            d_y: d_standardised,
            d_x,
            d_weight: &mut *d_gain,
            d_bias,
            scratch,
        });
        let factor = Self::inverse_sqrt_count();
        d_gain.iter_mut().for_each(|d_gain| *d_gain *= factor);
    }
}

impl<S, const F: usize, const CG: usize, const KH: usize, const KW: usize, const BIAS: usize>
    Node<S> for WSConv2d<F, CG, KH, KW, BIAS>
where
    S: Spec<Arguments = ws_conv2d::WSConv2d>,
{
    /// The standardised weights, and what standardisation needs. Training prepares them once per step.
    const SCRATCH: usize = Standardised::<S>::PARTS_LEN + Standardised::<S>::NORM.scratch_len();

    #[cfg(feature = "std")]
    fn file_tensors(order: &LayerOrder) -> Vec<Tensor> {
        layer_tensors(order, |sink| S::ARGUMENTS.tensors(S::INPUTS, sink))
    }

    fn infer(&self, Infer { x, y, ctx, .. }: Infer<'_>) {
        let (parts, scratch) = ctx.scratch.split_at_mut(Standardised::<S>::PARTS_LEN);
        Standardised::<S>::standardise(self.weight.as_floats(), &self.gain, parts, scratch);
        let weight = &parts[..Standardised::<S>::WEIGHTS];
        Standardised::<S>::infer(weight, &self.bias, Steps::Full, x[0], y);
    }
}

#[cfg(feature = "train")]
impl<S, const F: usize, const CG: usize, const KH: usize, const KW: usize, const BIAS: usize>
    TrainNode<S> for WSConv2d<F, CG, KH, KW, BIAS>
where
    S: Spec<Arguments = ws_conv2d::WSConv2d>,
{
    /// The gradient of all weights.
    const SHARD_SUMS: usize = Self::LEN;
    /// The `Parts`, then the flipped and transposed standardised weights, then what standardisation needs.
    const PREPARED: usize = Standardised::<S>::PARTS_LEN
        + Standardised::<S>::WEIGHTS
        + Standardised::<S>::NORM.scratch_len();
    const TRAIN_SCRATCH: usize = larger(
        <Standardised<S> as TrainConvolution>::TRAIN_SCRATCH,
        Standardised::<S>::BACKWARD_SCRATCH,
    );

    fn initialise(&mut self, key: RngKey) {
        fan_in_uniform(self.weight.as_floats_mut(), &mut self.bias, CG * KH * KW, key);
        self.gain.fill(1.0);
    }

    fn prepare(&self, prepared: &mut [f32]) {
        let (parts, rest) = prepared.split_at_mut(Standardised::<S>::PARTS_LEN);
        let (flipped, scratch) = rest.split_at_mut(Standardised::<S>::WEIGHTS);
        Standardised::<S>::standardise(self.weight.as_floats(), &self.gain, parts, scratch);
        Standardised::<S>::prepare(&parts[..Standardised::<S>::WEIGHTS], flipped);
    }

    fn forward_shard(&self, Forward { x, y, ctx, .. }: Forward<'_>) {
        let weight = &ctx.prepared[..Standardised::<S>::WEIGHTS];
        Standardised::<S>::infer(weight, &self.bias, Steps::Full, x[0], y);
    }

    fn backward_shard(&self, Backward { ctx, pass, phase, x, y, d_y, d_x }: Backward<'_, '_>) {
        let weights = Standardised::<S>::WEIGHTS;
        let TrainCtx { scratch, shard_sums, prepared, .. } = ctx;
        let (d_convolution, d_gain) = shard_sums.split_at_mut(weights + BIAS);
        let (parts, rest) = prepared.split_at(Standardised::<S>::PARTS_LEN);
        let ctx = TrainCtx {
            scratch: &mut *scratch,
            shard_sums: &mut *d_convolution,
            prepared: &rest[..weights],
            ..ctx
        };
        // Writes the gradient of the standardised weights, in whose place that of the weights is written then.
        let convolution = Backward { pass, phase, x, y, d_y, d_x, ctx };
        Standardised::<S>::backward(Steps::Full, convolution);
        if pass.trains_weights() {
            let (weight, d_weight) = (self.weight.as_floats(), &mut d_convolution[..weights]);
            Standardised::<S>::standardise_backward(weight, parts, d_weight, d_gain, scratch);
        }
    }
}

/// The larger of two sizes.
#[cfg(feature = "train")]
const fn larger(a: usize, b: usize) -> usize {
    if a > b { a } else { b }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::reference;
    use crate::layers::testing::{Trial, spec};
    use unrolled_shape::Padding;

    macro_rules! conv {
        ($Name:ident: $kernel:expr, $stride:expr, $padding:expr, $groups:expr, $bias:expr,
         $input:expr => $output:expr) => {
            spec!($Name: ws_conv2d::WSConv2d {
                out_channels: $output[2],
                kernel: $kernel,
                stride: $stride,
                padding: $padding,
                dilation: [1, 1],
                groups: $groups,
                bias: $bias,
                eps: 1e-3,
            }, [&$input] -> &$output);
        };
    }

    conv!(Plain: [3, 3], [1, 1], Padding::Same, 1, true, [4, 3, 2] => [4, 3, 3]);
    conv!(Grouped: [2, 3], [2, 1], Padding::Explicit([1, 0]), 2, false, [4, 5, 4] => [3, 3, 6]);
    conv!(Depthwise: [3, 3], [1, 1], Padding::Same, 5, true, [4, 3, 5] => [4, 3, 5]);
    conv!(Deep: [3, 2], [1, 1], Padding::Same, 1, true, [2, 3, 9] => [2, 3, 10]);

    #[test]
    fn gradients_agree_with_finite_differences() {
        fn check<S: Spec, T: TrainNode<S>>() {
            Trial::<S, T>::random().with_step(1e-2, 1e-3).check_gradients();
        }
        check::<Plain, WSConv2d<3, 2, 3, 3>>();
        check::<Grouped, WSConv2d<6, 2, 2, 3, 0>>();
        check::<Depthwise, WSConv2d<5, 1, 3, 3>>();
        check::<Deep, WSConv2d<10, 9, 3, 2>>();
    }

    #[test]
    fn inference_equals_training() {
        Trial::<Plain, WSConv2d<3, 2, 3, 3>>::random().check_inference();
        Trial::<Grouped, WSConv2d<6, 2, 2, 3, 0>>::random().check_inference();
        Trial::<Deep, WSConv2d<10, 9, 3, 2>>::random().check_inference();
    }

    /// The definition, channel by channel in `f64`, and the naive convolution.
    #[test]
    fn agrees_with_the_naive_kernel() {
        let mut trial = Trial::<Grouped, WSConv2d<6, 2, 2, 3, 0>>::random();
        let weight = trial.node.weight.as_floats().to_vec();
        let (mut standardised, count) = (weight.clone(), 12.0);
        for f in 0..6 {
            let weights = || weight.iter().skip(f).step_by(6).map(|w| f64::from(*w));
            let mean = weights().sum::<f64>() / count;
            let variance = weights().map(|w| (w - mean).powi(2)).sum::<f64>() / count;
            let factor = f64::from(trial.node.gain[f]) / (count * (variance + 1e-3)).sqrt();
            for (standardised, w) in standardised.iter_mut().skip(f).step_by(6).zip(weights()) {
                *standardised = ((w - mean) * factor) as f32;
            }
        }
        let mut y = vec![f32::NAN; trial.d_y.len()];
        let g = Standardised::<Grouped>::GEOMETRY;
        let (x, weight, bias) = (&trial.x[0][..], &standardised[..], &[]);
        reference::conv2d(&g, crate::kernels::ConvArgs { x, weight, bias, y: &mut y });
        for (found, expected) in trial.train().y.iter().zip(&y) {
            assert!((found - expected).abs() < 1e-6, "{found} {expected}");
        }
    }

    #[test]
    fn files_have_the_layout_of_timm() {
        let tensors = <WSConv2d<3, 2, 3, 3> as Node<Plain>>::file_tensors(&LayerOrder::default());
        let names: Vec<_> =
            tensors.iter().map(|t| (t.name.as_str(), t.offset, t.axes.len())).collect();
        assert_eq!(names, [("weight", 0, 4), ("bias", 54, 1), ("gain", 57, 4)]);
    }
}
