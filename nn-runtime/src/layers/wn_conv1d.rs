//! [`WNConv1d`]: a convolution over steps with weight normalisation, channels last.

use super::causal::{self, Chunk};
use super::convolution::Convolution;
use super::normalised::{
    GainConvolution, NormalisedConvolution, NormalisedWeights, normalised_node,
};
use crate::contract::{Infer, Spec, Streaming};
use crate::kernels::{Geometry, Instructions};
use crate::memory::InferCtx;
use core::marker::PhantomData;
use unrolled_shape::rules::wn_conv1d;

/// A convolution over steps with weights `g * v / ||v||`, where the norm is that of all weights of one output channel:
/// `[T, C] -> [T', F]` (Salimans and Kingma, 2016).
///
/// Inference computes the weights in each call. Where those of one channel are all 0, that channel is NaN. A new layer has
/// the outputs of a new [`Conv1d`](super::Conv1d). `CG` is the number of input channels of one group, `K` the size of the
/// kernel. With `padding = causal` and a stride of 1 the layer also runs step by step.
#[derive(Clone, Debug, PartialEq)]
#[repr(C)]
pub struct WNConv1d<const F: usize, const CG: usize, const K: usize, const BIAS: usize = F> {
    /// `v`, `[K, CG, F]`; PyTorch's is `[F, CG, K]`.
    pub weight: [[[f32; F]; CG]; K],
    /// One for each output channel, or none.
    pub bias: [f32; BIAS],
    /// `g`, one for each output channel.
    pub gain: [f32; F],
}

normalised_node!(
    [const F: usize, const CG: usize, const K: usize, const BIAS: usize]
    WNConv1d<F, CG, K, BIAS>, wn_conv1d::WNConv1d, Conv
);

impl<S, const F: usize, const CG: usize, const K: usize, const BIAS: usize> Streaming<S>
    for WNConv1d<F, CG, K, BIAS>
where
    S: Spec<Arguments = wn_conv1d::WNConv1d>,
{
    fn step<I: Instructions>(&self, _isa: I, Infer { x, y, ctx, .. }: Infer<'_>) {
        let InferCtx { scratch, mut state, .. } = ctx;
        let g = const { &Conv::<S>::GEOMETRY };
        let (weight, scratch) = self.normalised::<S>().normalise(scratch);
        let (bias, state) = (&self.bias, state.sample(0));
        causal::infer_step(g, Chunk { weight, bias, state, x: x[0], y, scratch });
    }
}

/// The convolution with the sizes of one spec, over images of height 1.
struct Conv<S>(PhantomData<S>);

impl<S: Spec<Arguments = wn_conv1d::WNConv1d>> Convolution for Conv<S> {
    const GEOMETRY: Geometry =
        Geometry::new(S::ARGUMENTS.window(S::INPUT), S::INPUT, S::OUTPUT, S::ARGUMENTS.groups);
    const BIAS: usize = if S::ARGUMENTS.bias { S::OUTPUT.last() } else { 0 };
    const STREAMS: bool = S::ARGUMENTS.streams();
}

impl<S: Spec<Arguments = wn_conv1d::WNConv1d>> NormalisedConvolution for Conv<S> {
    const OVER_STEPS: bool = true;
}

impl<S: Spec<Arguments = wn_conv1d::WNConv1d>> GainConvolution for Conv<S> {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::{ConvArgs, reference};
    use crate::layers::normalised::testing::{check_initial_norm, normalise};
    use crate::layers::testing::{Trial, check_lengths, random, spec};
    use crate::types::WeightSlice;
    use unrolled_shape::StepPadding;

    macro_rules! conv {
        ($Name:ident: $kernel:expr, $stride:expr, $padding:expr, $groups:expr, $bias:expr,
         $input:expr => $output:expr) => {
            spec!($Name: wn_conv1d::WNConv1d {
                out_channels: $output[1],
                kernel: $kernel,
                stride: $stride,
                padding: $padding,
                dilation: 1,
                groups: $groups,
                bias: $bias,
                names: wn_conv1d::Names::Parametrizations,
            }, [&$input] -> &$output);
        };
    }

    conv!(Plain: 3, 1, StepPadding::Explicit(1), 1, true, [7, 2] => [7, 3]);
    conv!(Short: 3, 1, StepPadding::Explicit(1), 1, true, [4, 2] => [4, 3]);
    conv!(Strided: 3, 2, StepPadding::Explicit(2), 1, false, [8, 3] => [5, 4]);
    conv!(Causal: 3, 1, StepPadding::Causal, 1, true, [6, 4] => [6, 2]);
    conv!(Grouped: 2, 1, StepPadding::Explicit(1), 2, true, [6, 4] => [7, 6]);
    // A plain convolution of these sizes would compute its gradient after all shards.
    conv!(Deep: 3, 1, StepPadding::Causal, 1, true, [4, 9] => [4, 10]);

    #[test]
    fn gradients_agree_with_finite_differences() {
        Trial::<Plain, WNConv1d<3, 2, 3>>::random().with_step(1e-2, 1e-3).check_gradients();
        Trial::<Strided, WNConv1d<4, 3, 3, 0>>::random().with_step(1e-2, 1e-3).check_gradients();
        Trial::<Grouped, WNConv1d<6, 2, 2>>::random().with_step(1e-2, 1e-3).check_gradients();
        Trial::<Deep, WNConv1d<10, 9, 3>>::random().with_step(1e-2, 1e-3).check_gradients();
        let mut with_states = Trial::<Causal, WNConv1d<2, 4, 3>>::random().with_step(1e-2, 1e-3);
        with_states.check_gradients();
        with_states.state = random(with_states.batch * Conv::<Causal>::STATE, 7);
        with_states.check_gradients();
    }

    #[test]
    fn inference_equals_training() {
        Trial::<Plain, WNConv1d<3, 2, 3>>::random().check_inference();
        Trial::<Strided, WNConv1d<4, 3, 3, 0>>::random().check_inference();
        Trial::<Grouped, WNConv1d<6, 2, 2>>::random().check_inference();
        let mut with_states = Trial::<Causal, WNConv1d<2, 4, 3>>::random();
        with_states.check_inference();
        with_states.state = random(with_states.batch * Conv::<Causal>::STATE, 7);
        with_states.check_inference();
    }

    #[test]
    fn ignores_what_comes_after_the_end_of_a_sequence() {
        check_lengths::<Plain, Short, WNConv1d<3, 2, 3>>(4, 0);
    }

    #[test]
    fn agrees_with_the_naive_kernel() {
        let trial = Trial::<Causal, WNConv1d<2, 4, 3>>::random();
        let weight = normalise(trial.node.weight.as_floats(), &trial.node.gain);
        let mut y = vec![f32::NAN; trial.d_y.len()];
        let (x, weight, bias) = (&trial.x[0][..], &weight[..], &trial.node.bias[..]);
        let g = Conv::<Causal>::GEOMETRY;
        reference::conv2d(&g, ConvArgs { x, weight, bias, y: &mut y });
        for (found, expected) in trial.infer().iter().zip(&y) {
            assert!((found - expected).abs() < 1e-5, "{found} {expected}");
        }
    }

    #[test]
    fn begins_with_the_norms_of_its_weights() {
        check_initial_norm::<Strided, WNConv1d<4, 3, 3, 0>>(36, 36);
    }
}
