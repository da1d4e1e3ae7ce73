//! [`ConvTranspose1d`]: PyTorch's `nn.ConvTranspose1d`, channels last.

use super::convolution::Convolution;
#[cfg(feature = "train")]
use super::train_convolution::TrainConvolution;
use super::transposed::{flip_and_spread, flipped_len};
#[cfg(feature = "train")]
use super::transposed::{gather, spread};
#[cfg(feature = "train")]
use crate::contract::{Backward, Forward, TrainNode};
use crate::contract::{Infer, Node, Spec};
#[cfg(feature = "train")]
use crate::init::fan_in_uniform;
use crate::kernels::Geometry;
#[cfg(feature = "train")]
use crate::memory::Shards;
#[cfg(feature = "train")]
use crate::system::RngKey;
#[cfg(feature = "std")]
use crate::types::{LayerOrder, Tensor, layer_tensors};
use crate::types::{WeightSlice, Weights};
use core::marker::PhantomData;
use unrolled_shape::rules::conv_transpose1d;

/// A transposed convolution: `[T, C] -> [T', F]`.
///
/// Its forward pass computes the input gradient of the [`Conv1d`](super::Conv1d) from `[T', F]` to `[T, C]` with
/// the same weights, and its backward pass is the forward pass of that layer. `FG` is the number of output channels of
/// one group, `K` the size of the kernel.
#[derive(Clone, Debug, PartialEq)]
#[repr(C)]
pub struct ConvTranspose1d<
    const F: usize,
    const C: usize,
    const FG: usize,
    const K: usize,
    const BIAS: usize = F,
> {
    /// The kernel `[K, FG, C]`; PyTorch's is `[C, FG, K]`.
    pub weight: [[[f32; C]; FG]; K],
    /// One for each output channel, or none.
    pub bias: [f32; BIAS],
}

// SAFETY: `repr(C)`, arrays of `f32` only.
unsafe impl<const F: usize, const C: usize, const FG: usize, const K: usize, const BIAS: usize>
    Weights for ConvTranspose1d<F, C, FG, K, BIAS>
{
}

/// The convolution from the output to the input, with the sizes of one spec.
struct Adjoint<S>(PhantomData<S>);

impl<S: Spec<Arguments = conv_transpose1d::ConvTranspose1d>> Convolution for Adjoint<S> {
    const GEOMETRY: Geometry =
        Geometry::new(S::ARGUMENTS.window(), S::OUTPUT, S::INPUT, S::ARGUMENTS.groups);
    const BIAS: usize = if S::ARGUMENTS.bias { S::OUTPUT.last() } else { 0 };
}

/// For the adjoint convolution, the input is the gradient of this layer's output, and the gradient of the output is
/// this layer's input.
#[cfg(feature = "train")]
impl<S: Spec<Arguments = conv_transpose1d::ConvTranspose1d>> TrainConvolution for Adjoint<S> {
    // The bias is added to the output, which is the adjoint's input.
    fn d_biased<'a>(d_y: &'a [f32], _x: &'a [f32]) -> (&'a [f32], usize) {
        (d_y, Self::GEOMETRY.channels)
    }
}

impl<S, const F: usize, const C: usize, const FG: usize, const K: usize, const BIAS: usize> Node<S>
    for ConvTranspose1d<F, C, FG, K, BIAS>
where
    S: Spec<Arguments = conv_transpose1d::ConvTranspose1d>,
{
    /// The flipped and transposed weights; training prepares them once per step.
    const SCRATCH: usize = flipped_len::<Adjoint<S>>();

    #[cfg(feature = "std")]
    fn file_tensors(order: &LayerOrder) -> Vec<Tensor> {
        layer_tensors(order, &|sink| S::ARGUMENTS.tensors(S::INPUTS, sink))
    }

    fn infer(&self, Infer { x, y, ctx, .. }: Infer<'_>) {
        flip_and_spread::<Adjoint<S>>(self.weight.as_floats(), &self.bias, ctx.scratch, x[0], y);
    }
}

#[cfg(feature = "train")]
impl<S, const F: usize, const C: usize, const FG: usize, const K: usize, const BIAS: usize>
    TrainNode<S> for ConvTranspose1d<F, C, FG, K, BIAS>
where
    S: Spec<Arguments = conv_transpose1d::ConvTranspose1d>,
{
    const SHARD_SUMS: usize = Adjoint::<S>::SHARD_SUMS;
    const DEFERRED: usize = Adjoint::<S>::DEFERRED;
    const GRADIENT_TASKS: usize = Adjoint::<S>::GRADIENT_TASKS;
    const PREPARED: usize = Adjoint::<S>::PREPARED;
    const TRAIN_SCRATCH: usize = Adjoint::<S>::TRAIN_SCRATCH;

    fn initialise(&mut self, key: RngKey) {
        fan_in_uniform(self.weight.as_floats_mut(), &mut self.bias, FG * K, key);
    }

    fn prepare(&self, prepared: &mut [f32]) {
        Adjoint::<S>::prepare(self.weight.as_floats(), prepared);
    }

    fn forward_shard(&self, Forward { x, y, ctx, .. }: Forward<'_>) {
        spread::<Adjoint<S>>(ctx.prepared, &self.bias, x[0], y);
    }

    fn backward_shard(&self, call: Backward<'_, '_>) {
        gather::<Adjoint<S>>(self.weight.as_floats(), call);
    }

    fn gradient_end(task: usize) -> usize {
        Adjoint::<S>::gradient_end(task)
    }

    fn gradient(task: usize, shards: Shards<'_>, d_weights: &mut [f32]) {
        Adjoint::<S>::gradient(task, shards, d_weights);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::testing::{Trial, spec};

    macro_rules! transposed {
        ($Name:ident: $kernel:expr, $stride:expr, $padding:expr, $output_padding:expr, $dilation:expr,
         $groups:expr, $bias:expr, $input:expr => $output:expr) => {
            spec!($Name: conv_transpose1d::ConvTranspose1d {
                out_channels: $output[1],
                kernel: $kernel,
                stride: $stride,
                padding: $padding,
                output_padding: $output_padding,
                dilation: $dilation,
                groups: $groups,
                bias: $bias,
            }, [&$input] -> &$output);
        };
    }

    transposed!(Plain: 3, 1, 0, 0, 1, 1, true, [4, 2] => [6, 3]);
    transposed!(Uneven: 2, 3, 1, 2, 2, 1, false, [3, 2] => [9, 3]);
    transposed!(Grouped: 3, 2, 1, 1, 1, 2, true, [3, 4] => [6, 6]);
    // Many weights for few steps: their gradient is computed after all shards.
    transposed!(Deep: 3, 1, 0, 0, 1, 1, true, [2, 20] => [4, 9]);

    /// The definition: each step of the input, times the kernel, is added to the output.
    fn naive<S: Spec<Arguments = conv_transpose1d::ConvTranspose1d>>(
        weights: &[f32],
        x: &[f32],
    ) -> Vec<f64> {
        let conv_transpose1d::ConvTranspose1d {
            kernel,
            stride,
            padding,
            dilation,
            groups,
            bias,
            ..
        } = S::ARGUMENTS;
        let (channels, filters) = (S::INPUT.last(), S::OUTPUT.last());
        let (cg, fg) = (channels / groups, filters / groups);
        let begin = |f: usize| if bias { weights[kernel * fg * channels + f] } else { 0.0 };
        let mut y: Vec<f64> = (0..S::OUT).map(|out| f64::from(begin(out % filters))).collect();
        for (t, c) in (0..S::INPUT.dim(0)).flat_map(|t| (0..channels).map(move |c| (t, c))) {
            for (k, f) in (0..kernel).flat_map(|k| (0..fg).map(move |f| (k, f))) {
                let Some(at) = (t * stride + k * dilation).checked_sub(padding) else { continue };
                if at < S::OUTPUT.dim(0) {
                    let weight = f64::from(weights[(k * fg + f) * channels + c]);
                    y[at * filters + c / cg * fg + f] += weight * f64::from(x[t * channels + c]);
                }
            }
        }
        y
    }

    fn check<S: Spec<Arguments = conv_transpose1d::ConvTranspose1d>, T: TrainNode<S>>() {
        assert_eq!(S::ARGUMENTS.output(S::INPUTS).unwrap(), S::OUTPUT);
        let mut trial = Trial::<S, T>::random();
        let expected = naive::<S>(trial.node.as_floats(), &trial.x[0][..S::IN]);
        for (found, expected) in trial.infer().iter().zip(expected) {
            assert!((f64::from(*found) - expected).abs() < 1e-5, "{found} {expected}");
        }
        trial.check_gradients();
        trial.check_inference();
    }

    #[test]
    fn agrees_with_the_definition_and_finite_differences() {
        check::<Plain, ConvTranspose1d<3, 2, 3, 3>>();
        check::<Uneven, ConvTranspose1d<3, 2, 3, 2, 0>>();
        check::<Grouped, ConvTranspose1d<6, 4, 3, 3>>();
        check::<Deep, ConvTranspose1d<9, 20, 9, 3>>();
    }
}
