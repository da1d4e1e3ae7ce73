//! [`ConvTranspose2d`]: PyTorch's `nn.ConvTranspose2d`, channels last.

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
use unrolled_shape::rules::conv_transpose2d;

/// A transposed convolution: `[H, W, C] -> [H', W', F]`.
///
/// Its forward pass computes the input gradient of the [`Conv2d`](super::Conv2d) from `[H', W', F]` to `[H, W, C]` with
/// the same weights, and its backward pass is the forward pass of that layer. `FG` is the number of output channels of
/// one group, `KH x KW` the size of the kernel.
#[derive(Clone, Debug, PartialEq)]
#[repr(C)]
pub struct ConvTranspose2d<
    const F: usize,
    const C: usize,
    const FG: usize,
    const KH: usize,
    const KW: usize,
    const BIAS: usize = F,
> {
    /// The kernel `[KH, KW, FG, C]`; PyTorch's is `[C, FG, KH, KW]`.
    pub weight: [[[[f32; C]; FG]; KW]; KH],
    /// One for each output channel, or none.
    pub bias: [f32; BIAS],
}

// SAFETY: `repr(C)`, arrays of `f32` only.
unsafe impl<
    const F: usize,
    const C: usize,
    const FG: usize,
    const KH: usize,
    const KW: usize,
    const BIAS: usize,
> Weights for ConvTranspose2d<F, C, FG, KH, KW, BIAS>
{
}

/// The convolution from the output to the input, with the sizes of one spec.
struct Adjoint<S>(PhantomData<S>);

impl<S: Spec<Arguments = conv_transpose2d::ConvTranspose2d>> Convolution for Adjoint<S> {
    const GEOMETRY: Geometry =
        Geometry::new(S::ARGUMENTS.window(), S::OUTPUT, S::INPUT, S::ARGUMENTS.groups);
    const BIAS: usize = if S::ARGUMENTS.bias { S::OUTPUT.last() } else { 0 };
}

/// For the adjoint convolution, the input is the gradient of this layer's output, and the gradient of the output is
/// this layer's input.
#[cfg(feature = "train")]
impl<S: Spec<Arguments = conv_transpose2d::ConvTranspose2d>> TrainConvolution for Adjoint<S> {
    // The bias is added to the output, which is the adjoint's input.
    fn d_biased<'a>(d_y: &'a [f32], _x: &'a [f32]) -> (&'a [f32], usize) {
        (d_y, Self::GEOMETRY.channels)
    }
}

impl<
    S,
    const F: usize,
    const C: usize,
    const FG: usize,
    const KH: usize,
    const KW: usize,
    const BIAS: usize,
> Node<S> for ConvTranspose2d<F, C, FG, KH, KW, BIAS>
where
    S: Spec<Arguments = conv_transpose2d::ConvTranspose2d>,
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
impl<
    S,
    const F: usize,
    const C: usize,
    const FG: usize,
    const KH: usize,
    const KW: usize,
    const BIAS: usize,
> TrainNode<S> for ConvTranspose2d<F, C, FG, KH, KW, BIAS>
where
    S: Spec<Arguments = conv_transpose2d::ConvTranspose2d>,
{
    const SHARD_SUMS: usize = Adjoint::<S>::SHARD_SUMS;
    const DEFERRED: usize = Adjoint::<S>::DEFERRED;
    const GRADIENT_TASKS: usize = Adjoint::<S>::GRADIENT_TASKS;
    const PREPARED: usize = Adjoint::<S>::PREPARED;
    const TRAIN_SCRATCH: usize = Adjoint::<S>::TRAIN_SCRATCH;

    fn initialise(&mut self, key: RngKey) {
        fan_in_uniform(self.weight.as_floats_mut(), &mut self.bias, FG * KH * KW, key);
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
    use crate::kernels::reference;
    use crate::layers::testing::{Trial, spec};

    macro_rules! transposed {
        ($Name:ident: $kernel:expr, $stride:expr, $padding:expr, $output_padding:expr, $dilation:expr,
         $groups:expr, $bias:expr, $input:expr => $output:expr) => {
            spec!($Name: conv_transpose2d::ConvTranspose2d {
                out_channels: $output[2],
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

    transposed!(Plain: [3, 3], [1, 1], [0, 0], [0, 0], [1, 1], 1, true, [3, 4, 2] => [5, 6, 3]);
    transposed!(Twice: [2, 2], [2, 2], [0, 0], [0, 0], [1, 1], 1, true, [3, 2, 3] => [6, 4, 2]);
    transposed!(Uneven: [3, 2], [2, 3], [1, 0], [1, 2], [1, 1], 1, false, [3, 2, 2] => [6, 7, 3]);
    transposed!(Gaps: [1, 2], [3, 2], [0, 0], [2, 0], [1, 1], 1, true, [2, 3, 2] => [6, 6, 2]);
    transposed!(Dilated: [2, 2], [1, 1], [0, 1], [1, 0], [2, 3], 1, true, [3, 3, 2] => [6, 4, 1]);
    transposed!(Grouped: [3, 3], [2, 2], [1, 1], [1, 1], [1, 1], 2, true, [2, 2, 4] => [4, 4, 6]);
    // Many weights for few pixels: their gradient is computed after all shards.
    transposed!(Deep: [3, 2], [1, 1], [1, 0], [0, 0], [1, 1], 1, true, [2, 2, 20] => [2, 3, 9]);

    macro_rules! for_all {
        ($check:ident) => {
            Trial::<Plain, ConvTranspose2d<3, 2, 3, 3, 3>>::random().$check();
            Trial::<Twice, ConvTranspose2d<2, 3, 2, 2, 2>>::random().$check();
            Trial::<Uneven, ConvTranspose2d<3, 2, 3, 3, 2, 0>>::random().$check();
            Trial::<Gaps, ConvTranspose2d<2, 2, 2, 1, 2>>::random().$check();
            Trial::<Dilated, ConvTranspose2d<1, 2, 1, 2, 2>>::random().$check();
            Trial::<Grouped, ConvTranspose2d<6, 4, 3, 3, 3>>::random().$check();
            Trial::<Deep, ConvTranspose2d<9, 20, 9, 3, 2>>::random().$check();
        };
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
    fn the_rule_allows_all_cases() {
        fn allowed<S: Spec<Arguments = conv_transpose2d::ConvTranspose2d>>() -> bool {
            S::ARGUMENTS.output(S::INPUTS).is_ok_and(|shape| shape == S::OUTPUT)
        }
        assert!(allowed::<Plain>() && allowed::<Twice>() && allowed::<Uneven>());
        assert!(allowed::<Gaps>() && allowed::<Dilated>() && allowed::<Grouped>());
        assert!(allowed::<Deep>());
    }

    #[test]
    fn both_ways_to_compute_the_gradient_are_tested() {
        assert_eq!([Adjoint::<Plain>::FEW_WEIGHTS, Adjoint::<Deep>::FEW_WEIGHTS], [true, false]);
    }

    #[test]
    fn agrees_with_the_naive_kernel() {
        fn check<S: Spec<Arguments = conv_transpose2d::ConvTranspose2d>, T: TrainNode<S>>() {
            let mut trial = Trial::<S, T>::random();
            let g = Adjoint::<S>::GEOMETRY;
            let (weight, bias) = trial.node.as_floats().split_at(g.weight_len());
            let mut y = vec![f32::NAN; trial.d_y.len()];
            reference::conv_transpose2d(&g, &trial.x[0], weight, bias, &mut y);
            for (found, expected) in trial.train().y.iter().zip(&y) {
                assert!((found - expected).abs() < 1e-5, "{found} {expected}");
            }
        }
        check::<Plain, ConvTranspose2d<3, 2, 3, 3, 3>>();
        check::<Uneven, ConvTranspose2d<3, 2, 3, 3, 2, 0>>();
        check::<Dilated, ConvTranspose2d<1, 2, 1, 2, 2>>();
        check::<Grouped, ConvTranspose2d<6, 4, 3, 3, 3>>();
        check::<Deep, ConvTranspose2d<9, 20, 9, 3, 2>>();
    }

    #[test]
    fn files_have_pytorchs_layout() {
        transposed!(Wide: [3, 5], [1, 1], [0, 0], [0, 0], [1, 1], 2, true, [2, 2, 4] => [4, 6, 6]);
        let tensors =
            <ConvTranspose2d<6, 4, 3, 3, 5> as Node<Wide>>::file_tensors(&LayerOrder::default());
        let axes: Vec<_> = tensors[0].axes.iter().map(|axis| (axis.len, axis.stride)).collect();
        assert_eq!(axes, [(4, 1), (3, 4), (3, 60), (5, 12)]);
        assert_eq!((tensors[1].name.as_str(), tensors[1].offset), ("bias", 180));
    }

    #[test]
    fn is_initialised_as_in_pytorch() {
        let mut layer = ConvTranspose2d::<6, 4, 3, 3, 3>::zeros();
        TrainNode::<Grouped>::initialise(&mut *layer, RngKey::new(1));
        let bound = 1.0 / 27.0_f32.sqrt();
        let largest = layer.as_floats().iter().fold(0.0_f32, |max, w| max.max(w.abs()));
        assert!(largest <= bound && largest > 0.9 * bound);
    }
}
