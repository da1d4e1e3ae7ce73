//! [`Conv1d`]: PyTorch's `nn.Conv1d`, channels last, and its causal variant.

use super::causal::{self, Chunk, Chunks};
use super::convolution::Convolution;
#[cfg(feature = "train")]
use super::train_convolution::TrainConvolution;
#[cfg(feature = "train")]
use crate::contract::{Backward, Forward, TrainNode};
use crate::contract::{Infer, Node, Spec, Streaming};
#[cfg(feature = "train")]
use crate::init::fan_in_uniform;
use crate::kernels::{Count, Geometry, Instructions};
use crate::memory::InferCtx;
#[cfg(feature = "train")]
use crate::memory::Shards;
#[cfg(feature = "train")]
use crate::system::RngKey;
#[cfg(feature = "std")]
use crate::types::{LayerOrder, Tensor, layer_tensors};
use crate::types::{WeightSlice, Weights};
use core::marker::PhantomData;
use unrolled_shape::rules::conv1d;

/// A convolution (as in PyTorch a cross-correlation) over steps: `[T, C] -> [T', F]`.
///
/// `CG` is the number of input channels of one group, `K` the size of the kernel. With `padding = causal` and a stride
/// of 1 the layer also runs step by step; its state is the last `(K - 1) * dilation` steps of the input, in a ring
/// buffer, and the place of the oldest of them.
#[derive(Clone, Debug, PartialEq)]
#[repr(C)]
pub struct Conv1d<const F: usize, const CG: usize, const K: usize, const BIAS: usize = F> {
    /// The kernel `[K, CG, F]`; PyTorch's is `[F, CG, K]`.
    pub weight: [[[f32; F]; CG]; K],
    /// One for each output channel, or none.
    pub bias: [f32; BIAS],
}

// SAFETY: `repr(C)`, arrays of `f32` only.
unsafe impl<const F: usize, const CG: usize, const K: usize, const BIAS: usize> Weights
    for Conv1d<F, CG, K, BIAS>
{
}

impl<S, const F: usize, const CG: usize, const K: usize, const BIAS: usize> Node<S>
    for Conv1d<F, CG, K, BIAS>
where
    S: Spec<Arguments = conv1d::Conv1d>,
{
    const SCRATCH: usize = Conv::<S>::SCRATCH;
    /// The steps before the chunk, which take the place of the zero padding.
    const STATE: usize = Conv::<S>::STATE;

    #[cfg(feature = "std")]
    fn file_tensors(order: &LayerOrder) -> Vec<Tensor> {
        layer_tensors(order, &|sink| S::ARGUMENTS.tensors(S::INPUTS, sink))
    }

    fn infer(&self, Infer { x, y, ctx, .. }: Infer<'_>) {
        let InferCtx { scratch, lengths, mut state, .. } = ctx;
        let (weight, bias) = (self.weight.as_floats(), &self.bias);
        let (x, steps, state) = (x[0], lengths.of::<S>(0), &mut state);
        Conv::<S>::infer_chunks(Chunks { weight, bias, steps, x, y, state, scratch });
    }
}

impl<S, const F: usize, const CG: usize, const K: usize, const BIAS: usize> Streaming<S>
    for Conv1d<F, CG, K, BIAS>
where
    S: Spec<Arguments = conv1d::Conv1d>,
{
    #[inline(always)]
    fn step<I: Instructions>(&self, isa: I, Infer { x, y, ctx, .. }: Infer<'_>) {
        let InferCtx { scratch, mut state, .. } = ctx;
        let g = const { &Conv::<S>::GEOMETRY };
        let (weight, bias, state) = (self.weight.as_floats(), &self.bias, state.sample(0));
        let step = Chunk { weight, bias, state, x: x[0], y, scratch };
        if const { I::INLINE && causal::is_one_chain(&Conv::<S>::GEOMETRY) } {
            causal::infer_step_inlined::<Count<F>, I>(isa, g, step);
        } else {
            causal::infer_step(g, step);
        }
    }
}

#[cfg(feature = "train")]
impl<S, const F: usize, const CG: usize, const K: usize, const BIAS: usize> TrainNode<S>
    for Conv1d<F, CG, K, BIAS>
where
    S: Spec<Arguments = conv1d::Conv1d>,
{
    const SHARD_SUMS: usize = Conv::<S>::SHARD_SUMS;
    const DEFERRED: usize = Conv::<S>::DEFERRED;
    const GRADIENT_TASKS: usize = Conv::<S>::GRADIENT_TASKS;
    const PREPARED: usize = Conv::<S>::PREPARED;
    const TRAIN_SCRATCH: usize = Conv::<S>::TRAIN_SCRATCH;
    /// The state with which a sample begins.
    const SAVED: usize = Conv::<S>::STATE;

    fn initialise(&mut self, key: RngKey) {
        fan_in_uniform(self.weight.as_floats_mut(), &mut self.bias, CG * K, key);
    }

    fn prepare(&self, prepared: &mut [f32]) {
        Conv::<S>::prepare(self.weight.as_floats(), prepared);
    }

    fn forward_shard(&self, call: Forward<'_>) {
        let lengths = call.ctx.lengths;
        let steps = lengths.of::<S>(0);
        Conv::<S>::forward(self.weight.as_floats(), &self.bias, steps, call);
    }

    fn backward_shard(&self, call: Backward<'_, '_>) {
        let lengths = call.ctx.lengths;
        Conv::<S>::backward(lengths.of::<S>(0), call);
    }

    fn gradient_end(task: usize) -> usize {
        Conv::<S>::gradient_end(task)
    }

    fn gradient(task: usize, shards: Shards<'_>, d_weights: &mut [f32]) {
        Conv::<S>::gradient(task, shards, d_weights);
    }
}

/// The convolution with the sizes of one spec, over images of height 1.
struct Conv<S>(PhantomData<S>);

impl<S: Spec<Arguments = conv1d::Conv1d>> Convolution for Conv<S> {
    const GEOMETRY: Geometry =
        Geometry::new(S::ARGUMENTS.window(S::INPUT), S::INPUT, S::OUTPUT, S::ARGUMENTS.groups);
    const BIAS: usize = if S::ARGUMENTS.bias { S::OUTPUT.last() } else { 0 };
    const STREAMS: bool = S::ARGUMENTS.streams();
}

#[cfg(feature = "train")]
impl<S: Spec<Arguments = conv1d::Conv1d>> TrainConvolution for Conv<S> {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::testing::{Trial, spec};
    use unrolled_shape::StepPadding;

    macro_rules! conv {
        ($Name:ident: $kernel:expr, $stride:expr, $padding:expr, $dilation:expr, $groups:expr,
         $bias:expr, $input:expr => $output:expr) => {
            spec!($Name: conv1d::Conv1d {
                out_channels: $output[1],
                kernel: $kernel,
                stride: $stride,
                padding: $padding,
                dilation: $dilation,
                groups: $groups,
                bias: $bias,
            }, [&$input] -> &$output);
        };
    }

    const NONE: StepPadding = StepPadding::Explicit(0);
    conv!(Plain: 3, 1, NONE, 1, 1, true, [7, 2] => [5, 3]);
    conv!(Strided: 3, 2, StepPadding::Explicit(2), 1, 1, false, [8, 3] => [5, 4]);
    conv!(Same: 4, 1, StepPadding::Same, 2, 1, true, [9, 1] => [9, 2]);
    conv!(Causal: 3, 1, StepPadding::Causal, 2, 1, true, [6, 3] => [6, 2]);
    conv!(CausalStrided: 4, 3, StepPadding::Causal, 1, 1, true, [8, 2] => [3, 5]);
    conv!(SameStrided: 5, 2, StepPadding::Same, 1, 1, true, [8, 2] => [4, 3]);
    conv!(Sides: 4, 1, StepPadding::Sides([0, 3]), 1, 1, true, [6, 2] => [6, 3]);
    conv!(Grouped: 2, 1, StepPadding::Explicit(1), 3, 2, true, [6, 4] => [5, 6]);
    conv!(Depthwise: 3, 2, StepPadding::Explicit(1), 1, 5, true, [6, 5] => [3, 5]);
    // Many weights for few steps: their gradient is computed after all shards.
    conv!(Deep: 3, 1, StepPadding::Causal, 1, 1, true, [4, 9] => [4, 10]);
    conv!(DeepGroups: 2, 1, NONE, 2, 2, true, [3, 20] => [1, 14]);

    macro_rules! for_all {
        ($check:ident) => {
            $check::<Plain, Conv1d<3, 2, 3>>();
            $check::<Strided, Conv1d<4, 3, 3, 0>>();
            $check::<Same, Conv1d<2, 1, 4>>();
            $check::<Causal, Conv1d<2, 3, 3>>();
            $check::<CausalStrided, Conv1d<5, 2, 4>>();
            $check::<SameStrided, Conv1d<3, 2, 5>>();
            $check::<Sides, Conv1d<3, 2, 4>>();
            $check::<Grouped, Conv1d<6, 2, 2>>();
            $check::<Depthwise, Conv1d<5, 1, 3>>();
            $check::<Deep, Conv1d<10, 9, 3>>();
            $check::<DeepGroups, Conv1d<14, 10, 2>>();
        };
    }

    /// The definition, step by step in `f64`.
    fn naive<S: Spec<Arguments = conv1d::Conv1d>>(weights: &[f32], x: &[f32]) -> Vec<f64> {
        let conv1d::Conv1d { kernel, stride, dilation, groups, bias, .. } = S::ARGUMENTS;
        let [before, _] = S::ARGUMENTS.window(S::INPUT).padding[2];
        let (channels, filters) = (S::INPUT.last(), S::OUTPUT.last());
        let (cg, fg) = (channels / groups, filters / groups);
        let mut y = Vec::new();
        for x in x.chunks_exact(S::IN) {
            for (t, f) in (0..S::OUTPUT.dim(0)).flat_map(|t| (0..filters).map(move |f| (t, f))) {
                let begin = if bias { weights[kernel * cg * filters + f] } else { 0.0 };
                let mut sum = f64::from(begin);
                for (k, c) in (0..kernel).flat_map(|k| (0..cg).map(move |c| (k, c))) {
                    let Some(at) = (t * stride + k * dilation).checked_sub(before) else {
                        continue;
                    };
                    if at < S::INPUT.dim(0) {
                        let x = x[at * channels + f / fg * cg + c];
                        sum += f64::from(x) * f64::from(weights[(k * cg + c) * filters + f]);
                    }
                }
                y.push(sum);
            }
        }
        y
    }

    fn check_naive<S: Spec<Arguments = conv1d::Conv1d>, T: TrainNode<S>>() {
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
        assert_eq!([Conv::<Plain>::FEW_WEIGHTS, Conv::<Causal>::FEW_WEIGHTS], [true; 2]);
        assert_eq!([Conv::<Deep>::FEW_WEIGHTS, Conv::<DeepGroups>::FEW_WEIGHTS], [false; 2]);
    }

    /// Later steps do not change earlier outputs and get no gradient from them.
    #[test]
    fn causal_convolutions_ignore_later_steps() {
        let mut trial = Trial::<Causal, Conv1d<2, 3, 3>>::random();
        trial.batch = 1;
        trial.x[0].truncate(Causal::IN);
        trial.d_y.truncate(Causal::OUT);
        let before = trial.infer();
        trial.x[0][4 * 3..].fill(9.0);
        assert_eq!(trial.infer()[..4 * 2], before[..4 * 2]);
        assert_ne!(trial.infer()[4 * 2..], before[4 * 2..]);
        trial.d_y[4 * 2..].fill(0.0);
        assert!(trial.train().d_x[0][4 * 3..].iter().all(|d| *d == 0.0));
    }

    #[test]
    fn files_have_pytorchs_layout() {
        let tensors = <Conv1d<6, 2, 2> as Node<Grouped>>::file_tensors(&LayerOrder::default());
        assert_eq!(tensors[0].name, "weight");
        let axes: Vec<_> = tensors[0].axes.iter().map(|axis| (axis.len, axis.stride)).collect();
        assert_eq!(axes, [(6, 1), (2, 6), (2, 12)]);
        assert_eq!((tensors[1].name.as_str(), tensors[1].offset), ("bias", 24));
        assert_eq!(
            <Conv1d<4, 3, 3, 0> as Node<Strided>>::file_tensors(&LayerOrder::default()).len(),
            1
        );
    }

    #[test]
    fn is_initialised_as_in_pytorch() {
        let mut layer = Conv1d::<6, 2, 2>::zeros();
        TrainNode::<Grouped>::initialise(&mut *layer, RngKey::new(1));
        let bound = 1.0 / 4.0_f32.sqrt();
        let largest = layer.as_floats().iter().fold(0.0_f32, |max, w| max.max(w.abs()));
        assert!(largest <= bound && largest > 0.9 * bound);
    }
}
