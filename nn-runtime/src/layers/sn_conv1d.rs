//! [`SNConv1d`]: a convolution over steps with spectral normalisation, channels last.

use super::causal::{self, Chunk};
use super::convolution::Convolution;
use super::normalised::{NormalisedConvolution, NormalisedWeights};
use super::spectral::spectral_node;
use crate::contract::{Infer, Spec, Streaming};
use crate::kernels::{Geometry, Instructions};
use crate::memory::InferCtx;
use core::marker::PhantomData;
use unrolled_shape::rules::sn_conv1d;

/// A convolution over steps with weights `w / sigma`, where `sigma = u . W v` approximates the largest singular value of
/// the weights as a matrix `W` with a row for each output: `[T, C] -> [T', F]` (Miyato et al., 2018).
///
/// Each forward pass in training begins with one power iteration: `u = W v`, then `v = Wᵀ u`, divided by their norms. The
/// gradient takes both as constants. Inference and frozen layers use them as they are, and inference computes the weights in
/// each call. Where all weights are 0, all outputs are NaN.
///
/// `CG` is the number of input channels of one group, `K` the size of the kernel. With `padding = causal` and a stride of 1 the
/// layer also runs step by step.
#[derive(Clone, Debug, PartialEq)]
#[repr(C)]
pub struct SNConv1d<const F: usize, const CG: usize, const K: usize, const BIAS: usize = F> {
    /// `w`, `[K, CG, F]`; PyTorch's is `[F, CG, K]`.
    pub weight: [[[f32; F]; CG]; K],
    /// One for each output channel, or none.
    pub bias: [f32; BIAS],
    /// Approximates the left singular vector of the largest singular value. Not trained.
    pub u: [f32; F],
    /// Approximates the right one, in PyTorch's order. Not trained.
    pub v: [[f32; K]; CG],
}

spectral_node!(
    [const F: usize, const CG: usize, const K: usize, const BIAS: usize]
    SNConv1d<F, CG, K, BIAS>, sn_conv1d::SNConv1d, Conv
);

impl<S, const F: usize, const CG: usize, const K: usize, const BIAS: usize> Streaming<S>
    for SNConv1d<F, CG, K, BIAS>
where
    S: Spec<Arguments = sn_conv1d::SNConv1d>,
{
    fn step<I: Instructions>(&self, _isa: I, Infer { x, y, ctx, .. }: Infer<'_>) {
        let InferCtx { scratch, mut state, .. } = ctx;
        let g = const { &Conv::<S>::GEOMETRY };
        let (weight, scratch) = self.spectral::<S>().normalise(scratch);
        let (bias, state) = (&self.bias, state.sample(0));
        causal::infer_step(g, Chunk { weight, bias, state, x: x[0], y, scratch });
    }
}

/// The convolution with the sizes of one spec, over images of height 1.
struct Conv<S>(PhantomData<S>);

impl<S: Spec<Arguments = sn_conv1d::SNConv1d>> Convolution for Conv<S> {
    const GEOMETRY: Geometry =
        Geometry::new(S::ARGUMENTS.window(S::INPUT), S::INPUT, S::OUTPUT, S::ARGUMENTS.groups);
    const BIAS: usize = if S::ARGUMENTS.bias { S::OUTPUT.last() } else { 0 };
    const STREAMS: bool = S::ARGUMENTS.streams();
}

impl<S: Spec<Arguments = sn_conv1d::SNConv1d>> NormalisedConvolution for Conv<S> {
    const OVER_STEPS: bool = true;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::{ConvArgs, reference};
    use crate::layers::spectral::testing::{check_close, converged, doubles, naive};
    use crate::layers::testing::{Trial, check_lengths, random, spec};
    use crate::types::WeightSlice;
    use unrolled_shape::StepPadding;

    macro_rules! conv {
        ($Name:ident: $kernel:expr, $stride:expr, $padding:expr, $groups:expr, $bias:expr,
         $input:expr => $output:expr) => {
            spec!($Name: sn_conv1d::SNConv1d {
                out_channels: $output[1],
                kernel: $kernel,
                stride: $stride,
                padding: $padding,
                dilation: 1,
                groups: $groups,
                bias: $bias,
                names: sn_conv1d::Names::Parametrizations,
            }, [&$input] -> &$output);
        };
    }

    conv!(Plain: 3, 1, StepPadding::Explicit(1), 1, true, [7, 2] => [7, 3]);
    conv!(Short: 3, 1, StepPadding::Explicit(1), 1, true, [4, 2] => [4, 3]);
    conv!(Strided: 3, 2, StepPadding::Explicit(2), 1, false, [8, 3] => [5, 4]);
    conv!(Causal: 3, 1, StepPadding::Causal, 1, true, [6, 4] => [6, 2]);
    conv!(Grouped: 2, 1, StepPadding::Explicit(1), 2, true, [6, 4] => [7, 6]);

    #[test]
    fn gradients_agree_with_finite_differences() {
        converged::<Plain, SNConv1d<3, 2, 3>>().check_gradients();
        converged::<Strided, SNConv1d<4, 3, 3, 0>>().check_gradients();
        converged::<Grouped, SNConv1d<6, 2, 2>>().check_gradients();
        let mut with_states = converged::<Causal, SNConv1d<2, 4, 3>>();
        with_states.check_gradients();
        with_states.state = random(with_states.batch * Conv::<Causal>::STATE, 7);
        with_states.check_gradients();
    }

    #[test]
    fn inference_equals_the_step_before() {
        Trial::<Plain, SNConv1d<3, 2, 3>>::random().check_inference();
        Trial::<Strided, SNConv1d<4, 3, 3, 0>>::random().check_inference();
        Trial::<Grouped, SNConv1d<6, 2, 2>>::random().check_inference();
        let mut with_states = Trial::<Causal, SNConv1d<2, 4, 3>>::random();
        with_states.check_inference();
        with_states.state = random(with_states.batch * Conv::<Causal>::STATE, 7);
        with_states.check_inference();
    }

    #[test]
    fn ignores_what_comes_after_the_end_of_a_sequence() {
        check_lengths::<Plain, Short, SNConv1d<3, 2, 3>>(4, 0);
    }

    #[test]
    fn a_step_is_that_of_the_definition() {
        let mut trial = Trial::<Causal, SNConv1d<2, 4, 3>>::random();
        let rows = |v: &[[f32; 3]; 4]| -> Vec<f32> {
            (0..3).flat_map(|tap| v.iter().map(move |channel| channel[tap])).collect()
        };
        let before = doubles(&rows(&trial.node.v));
        let after = naive(trial.node.weight.as_floats(), &before, 2);
        let found = trial.train().y;
        check_close("u", &trial.node.u, &after.u);
        check_close("v", &rows(&trial.node.v), &after.rows);
        let mut y = vec![f32::NAN; found.len()];
        let (x, weight, bias) = (&trial.x[0][..], &after.weight[..], &trial.node.bias[..]);
        let g = Conv::<Causal>::GEOMETRY;
        reference::conv2d(&g, ConvArgs { x, weight, bias, y: &mut y });
        check_close("y", &found, &doubles(&y));
    }
}
