//! [`Conv3d`]: PyTorch's `nn.Conv3d`, channels last.

use super::convolution::Convolution;
#[cfg(feature = "train")]
use super::train_convolution::TrainConvolution;
#[cfg(feature = "train")]
use crate::contract::{Backward, Forward, TrainNode};
use crate::contract::{Infer, Node, Spec};
#[cfg(feature = "train")]
use crate::init::fan_in_uniform;
use crate::kernels::{ConvArgs, Geometry};
#[cfg(feature = "train")]
use crate::memory::Shards;
#[cfg(feature = "train")]
use crate::system::RngKey;
#[cfg(feature = "std")]
use crate::types::{LayerOrder, Tensor, layer_tensors};
use crate::types::{Steps, WeightSlice, Weights};
use core::marker::PhantomData;
use unrolled_shape::rules::conv3d;

/// A convolution (as in PyTorch a cross-correlation) over depth, height and width:
/// `[D, H, W, C] -> [D', H', W', F]`.
///
/// `CG` is the number of input channels of one group, `KD x KH x KW` the size of the kernel.
#[derive(Clone, Debug, PartialEq)]
#[repr(C)]
pub struct Conv3d<
    const F: usize,
    const CG: usize,
    const KD: usize,
    const KH: usize,
    const KW: usize,
    const BIAS: usize = F,
> {
    /// The kernel `[KD, KH, KW, CG, F]`; PyTorch's is `[F, CG, KD, KH, KW]`.
    pub weight: [[[[[f32; F]; CG]; KW]; KH]; KD],
    /// One for each output channel, or none.
    pub bias: [f32; BIAS],
}

// SAFETY: `repr(C)`, arrays of `f32` only.
unsafe impl<
    const F: usize,
    const CG: usize,
    const KD: usize,
    const KH: usize,
    const KW: usize,
    const BIAS: usize,
> Weights for Conv3d<F, CG, KD, KH, KW, BIAS>
{
}

impl<
    S,
    const F: usize,
    const CG: usize,
    const KD: usize,
    const KH: usize,
    const KW: usize,
    const BIAS: usize,
> Node<S> for Conv3d<F, CG, KD, KH, KW, BIAS>
where
    S: Spec<Arguments = conv3d::Conv3d>,
{
    const SCRATCH: usize = Conv::<S>::SCRATCH;

    #[cfg(feature = "std")]
    fn file_tensors(order: &LayerOrder) -> Vec<Tensor> {
        layer_tensors(order, &|sink| S::ARGUMENTS.tensors(S::INPUTS, sink))
    }

    fn infer(&self, Infer { x, y, ctx, .. }: Infer<'_>) {
        let (weight, bias) = (self.weight.as_floats(), &self.bias);
        let args = ConvArgs { x: x[0], weight, bias, y };
        Conv::<S>::infer(Steps::Full, args, ctx.scratch);
    }
}

#[cfg(feature = "train")]
impl<
    S,
    const F: usize,
    const CG: usize,
    const KD: usize,
    const KH: usize,
    const KW: usize,
    const BIAS: usize,
> TrainNode<S> for Conv3d<F, CG, KD, KH, KW, BIAS>
where
    S: Spec<Arguments = conv3d::Conv3d>,
{
    const SHARD_SUMS: usize = Conv::<S>::SHARD_SUMS;
    const DEFERRED: usize = Conv::<S>::DEFERRED;
    const GRADIENT_TASKS: usize = Conv::<S>::GRADIENT_TASKS;
    const PREPARED: usize = Conv::<S>::PREPARED;
    const TRAIN_SCRATCH: usize = Conv::<S>::TRAIN_SCRATCH;

    fn initialise(&mut self, key: RngKey) {
        fan_in_uniform(self.weight.as_floats_mut(), &mut self.bias, CG * KD * KH * KW, key);
    }

    fn prepare(&self, prepared: &mut [f32]) {
        Conv::<S>::prepare(self.weight.as_floats(), prepared);
    }

    fn forward_shard(&self, call: Forward<'_>) {
        Conv::<S>::forward(self.weight.as_floats(), &self.bias, Steps::Full, call);
    }

    fn backward_shard(&self, call: Backward<'_, '_>) {
        Conv::<S>::backward(Steps::Full, call);
    }

    fn gradient_end(task: usize) -> usize {
        Conv::<S>::gradient_end(task)
    }

    fn gradient(task: usize, shards: Shards<'_>, d_weights: &mut [f32]) {
        Conv::<S>::gradient(task, shards, d_weights);
    }
}

/// The convolution with the sizes of one spec.
struct Conv<S>(PhantomData<S>);

impl<S: Spec<Arguments = conv3d::Conv3d>> Convolution for Conv<S> {
    const GEOMETRY: Geometry =
        Geometry::new(S::ARGUMENTS.window(S::INPUT), S::INPUT, S::OUTPUT, S::ARGUMENTS.groups);
    const BIAS: usize = if S::ARGUMENTS.bias { S::OUTPUT.last() } else { 0 };
}

#[cfg(feature = "train")]
impl<S: Spec<Arguments = conv3d::Conv3d>> TrainConvolution for Conv<S> {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::Spec;
    use crate::layers::testing::{Trial, spec};
    use unrolled_shape::VolumePadding;

    macro_rules! conv {
        ($Name:ident: $kernel:expr, $stride:expr, $padding:expr, $dilation:expr, $groups:expr,
         $bias:expr, $input:expr => $output:expr) => {
            spec!($Name: conv3d::Conv3d {
                out_channels: $output[3],
                kernel: $kernel,
                stride: $stride,
                padding: $padding,
                dilation: $dilation,
                groups: $groups,
                bias: $bias,
            }, [&$input] -> &$output);
        };
    }

    const NONE: VolumePadding = VolumePadding::Explicit([0; 3]);
    const SAME: VolumePadding = VolumePadding::Same;
    const FRONT: VolumePadding = VolumePadding::Explicit([1, 0, 0]);
    conv!(Plain: [2, 3, 3], [1; 3], NONE, [1; 3], 1, true, [3, 4, 5, 2] => [2, 2, 3, 3]);
    conv!(Strided: [3, 2, 2], [2, 1, 3], VolumePadding::Explicit([1, 1, 0]), [1; 3], 1, false, [4, 3, 5, 3] => [2, 4, 2, 4]);
    conv!(Same: [2, 3, 1], [1; 3], SAME, [1, 1, 2], 1, true, [3, 4, 2, 1] => [3, 4, 2, 2]);
    conv!(Dilated: [2, 2, 3], [1, 2, 1], VolumePadding::Explicit([0, 1, 1]), [3, 1, 2], 1, true, [5, 3, 4, 2] => [2, 2, 2, 2]);
    conv!(Sides: [3, 2, 2], [3, 1, 1], VolumePadding::Sides([2, 0, 0, 1, 1, 0]), [1; 3], 1, true, [3, 2, 3, 2] => [1, 2, 3, 3]);
    // Planes that meet padding alone, and others that meet nothing.
    conv!(Gaps: [1, 2, 2], [3, 1, 1], FRONT, [1; 3], 1, true, [4, 2, 2, 2] => [2, 1, 1, 2]);
    conv!(Grouped: [2, 2, 1], [1; 3], FRONT, [1; 3], 2, true, [2, 3, 2, 4] => [3, 2, 2, 6]);
    conv!(Depthwise: [3; 3], [1; 3], SAME, [1; 3], 5, true, [2, 3, 4, 5] => [2, 3, 4, 5]);
    conv!(DepthwiseStrided: [2, 3, 2], [1, 2, 1], NONE, [1; 3], 3, false, [3, 5, 3, 3] => [2, 2, 2, 3]);
    conv!(Pointwise: [1; 3], [1; 3], NONE, [1; 3], 1, false, [3, 2, 2, 3] => [3, 2, 2, 4]);
    conv!(Spatial: [1, 3, 3], [1; 3], SAME, [1; 3], 1, true, [2, 3, 3, 2] => [2, 3, 3, 2]);
    conv!(Temporal: [3, 1, 1], [1; 3], FRONT, [1; 3], 1, true, [4, 2, 2, 3] => [4, 2, 2, 2]);
    // Many weights for few elements: their gradient is computed after all shards.
    conv!(Deep: [2; 3], [1; 3], SAME, [1; 3], 1, true, [2, 2, 2, 9] => [2, 2, 2, 10]);
    conv!(DeepGroups: [2, 1, 2], [2, 1, 1], NONE, [1; 3], 2, true, [2, 1, 2, 20] => [1, 1, 1, 14]);

    macro_rules! for_all {
        ($check:ident) => {
            $check::<Plain, Conv3d<3, 2, 2, 3, 3>>();
            $check::<Strided, Conv3d<4, 3, 3, 2, 2, 0>>();
            $check::<Same, Conv3d<2, 1, 2, 3, 1>>();
            $check::<Dilated, Conv3d<2, 2, 2, 2, 3>>();
            $check::<Sides, Conv3d<3, 2, 3, 2, 2>>();
            $check::<Gaps, Conv3d<2, 2, 1, 2, 2>>();
            $check::<Grouped, Conv3d<6, 2, 2, 2, 1>>();
            $check::<Depthwise, Conv3d<5, 1, 3, 3, 3>>();
            $check::<DepthwiseStrided, Conv3d<3, 1, 2, 3, 2, 0>>();
            $check::<Pointwise, Conv3d<4, 3, 1, 1, 1, 0>>();
            $check::<Spatial, Conv3d<2, 2, 1, 3, 3>>();
            $check::<Temporal, Conv3d<2, 3, 3, 1, 1>>();
            $check::<Deep, Conv3d<10, 9, 2, 2, 2>>();
            $check::<DeepGroups, Conv3d<14, 10, 2, 1, 2>>();
        };
    }

    /// The definition, in `f64`.
    fn naive<S: Spec<Arguments = conv3d::Conv3d>>(weights: &[f32], x: &[f32]) -> Vec<f64> {
        let conv3d::Conv3d { kernel, stride, dilation, groups, bias, .. } = S::ARGUMENTS;
        let padding = S::ARGUMENTS.window(S::INPUT).padding;
        let (channels, filters) = (S::INPUT.last(), S::OUTPUT.last());
        let (cg, fg) = (channels / groups, filters / groups);
        let indices =
            |[a, b, c]: [usize; 3]| (0..a * b * c).map(move |i| [i / (b * c), i / c % b, i % c]);
        let size = |shape: &unrolled_shape::Shape| [shape.dim(0), shape.dim(1), shape.dim(2)];
        let (input, output) = (size(&S::INPUT), size(&S::OUTPUT));
        let mut y = Vec::new();
        for x in x.chunks_exact(S::IN) {
            for (out, f) in indices(output).flat_map(|out| (0..filters).map(move |f| (out, f))) {
                let taps = kernel.iter().product::<usize>();
                let mut sum = if bias { f64::from(weights[taps * cg * filters + f]) } else { 0.0 };
                for (nth, tap) in indices(kernel).enumerate() {
                    let at = |axis: usize| {
                        let at = out[axis] * stride[axis] + tap[axis] * dilation[axis];
                        at.checked_sub(padding[axis][0]).filter(|at| *at < input[axis])
                    };
                    let (Some(plane), Some(row), Some(column)) = (at(0), at(1), at(2)) else {
                        continue;
                    };
                    let pixel = (plane * input[1] + row) * input[2] + column;
                    for c in 0..cg {
                        let x = x[pixel * channels + f / fg * cg + c];
                        sum += f64::from(x) * f64::from(weights[(nth * cg + c) * filters + f]);
                    }
                }
                y.push(sum);
            }
        }
        y
    }

    fn check_naive<S: Spec<Arguments = conv3d::Conv3d>, T: TrainNode<S>>() {
        assert_eq!(S::ARGUMENTS.output(S::INPUTS).unwrap(), S::OUTPUT);
        let trial = Trial::<S, T>::random();
        let expected = naive::<S>(trial.node.as_floats(), &trial.x[0]);
        for (found, expected) in trial.infer().iter().zip(expected) {
            assert!((f64::from(*found) - expected).abs() < 1e-5, "{found} {expected}");
        }
    }

    fn check_gradients<S: Spec, T: TrainNode<S>>() {
        Trial::<S, T>::random().check_gradients();
    }

    fn check_inference<S: Spec, T: TrainNode<S>>() {
        Trial::<S, T>::random().check_inference();
    }

    #[test]
    fn agrees_with_the_definition() {
        for_all!(check_naive);
    }

    #[test]
    fn gradients_agree_with_finite_differences() {
        for_all!(check_gradients);
    }

    #[test]
    fn inference_equals_training() {
        for_all!(check_inference);
    }

    #[test]
    fn both_ways_to_compute_the_gradient_are_tested() {
        assert_eq!([Conv::<Plain>::FEW_WEIGHTS, Conv::<Depthwise>::FEW_WEIGHTS], [true; 2]);
        assert_eq!([Conv::<Deep>::FEW_WEIGHTS, Conv::<DeepGroups>::FEW_WEIGHTS], [false; 2]);
    }

    #[test]
    fn files_have_pytorchs_layout() {
        conv!(Uneven: [2, 3, 5], [1; 3], NONE, [1; 3], 2, true, [2, 3, 5, 4] => [1, 1, 1, 6]);
        let tensors = <Conv3d<6, 2, 2, 3, 5> as Node<Uneven>>::file_tensors(&LayerOrder::default());
        assert_eq!(tensors[0].name, "weight");
        let axes: Vec<_> = tensors[0].axes.iter().map(|axis| (axis.len, axis.stride)).collect();
        assert_eq!(axes, [(6, 1), (2, 6), (2, 180), (3, 60), (5, 12)]);
        assert_eq!((tensors[1].name.as_str(), tensors[1].offset), ("bias", 360));
    }

    #[test]
    fn is_initialised_as_in_pytorch() {
        let mut layer = Conv3d::<6, 2, 2, 2, 1>::zeros();
        TrainNode::<Grouped>::initialise(&mut *layer, RngKey::new(1));
        let bound = 1.0 / 8.0_f32.sqrt();
        let largest = layer.as_floats().iter().fold(0.0_f32, |max, w| max.max(w.abs()));
        assert!(largest <= bound && largest > 0.9 * bound);
    }
}
