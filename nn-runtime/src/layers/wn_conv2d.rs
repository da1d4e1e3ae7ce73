//! [`WNConv2d`]: a convolution over height and width with weight normalisation, channels last.

use super::convolution::Convolution;
use super::normalised::{GainConvolution, NormalisedConvolution, normalised_node};
use crate::contract::Spec;
use crate::kernels::Geometry;
use core::marker::PhantomData;
use unrolled_shape::rules::wn_conv2d;

/// A convolution with weights `g * v / ||v||`, where the norm is that of all weights of one output channel:
/// `[H, W, C] -> [H', W', F]` (Salimans and Kingma, 2016).
///
/// Inference computes the weights in each call. Where those of one channel are all 0, that channel is NaN. A new layer has
/// the outputs of a new [`Conv2d`](super::Conv2d). `CG` is the number of input channels of one group, `KH x KW` the size of
/// the kernel.
#[derive(Clone, Debug, PartialEq)]
#[repr(C)]
pub struct WNConv2d<
    const F: usize,
    const CG: usize,
    const KH: usize,
    const KW: usize,
    const BIAS: usize = F,
> {
    /// `v`, `[KH, KW, CG, F]`; PyTorch's is `[F, CG, KH, KW]`.
    pub weight: [[[[f32; F]; CG]; KW]; KH],
    /// One for each output channel, or none.
    pub bias: [f32; BIAS],
    /// `g`, one for each output channel.
    pub gain: [f32; F],
}

normalised_node!(
    [const F: usize, const CG: usize, const KH: usize, const KW: usize, const BIAS: usize]
    WNConv2d<F, CG, KH, KW, BIAS>, wn_conv2d::WNConv2d, Conv
);

/// The convolution with the sizes of one spec.
struct Conv<S>(PhantomData<S>);

impl<S: Spec<Arguments = wn_conv2d::WNConv2d>> Convolution for Conv<S> {
    const GEOMETRY: Geometry =
        Geometry::new(S::ARGUMENTS.window(S::INPUT), S::INPUT, S::OUTPUT, S::ARGUMENTS.groups);
    const BIAS: usize = if S::ARGUMENTS.bias { S::OUTPUT.last() } else { 0 };
}

impl<S: Spec<Arguments = wn_conv2d::WNConv2d>> NormalisedConvolution for Conv<S> {}

impl<S: Spec<Arguments = wn_conv2d::WNConv2d>> GainConvolution for Conv<S> {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::{ConvArgs, reference};
    use crate::layers::normalised::testing::{check_initial_norm, normalise};
    use crate::layers::testing::{Trial, spec};
    use crate::types::WeightSlice;
    use unrolled_shape::Padding;

    macro_rules! conv {
        ($Name:ident: $kernel:expr, $stride:expr, $padding:expr, $groups:expr, $bias:expr,
         $input:expr => $output:expr) => {
            spec!($Name: wn_conv2d::WNConv2d {
                out_channels: $output[2],
                kernel: $kernel,
                stride: $stride,
                padding: $padding,
                dilation: [1, 1],
                groups: $groups,
                bias: $bias,
                names: wn_conv2d::Names::Parametrizations,
            }, [&$input] -> &$output);
        };
    }

    conv!(Plain: [3, 3], [1, 1], Padding::Same, 1, true, [4, 3, 2] => [4, 3, 3]);
    conv!(Grouped: [2, 3], [2, 1], Padding::Explicit([1, 0]), 2, false, [4, 5, 4] => [3, 3, 6]);
    conv!(Depthwise: [3, 3], [1, 1], Padding::Same, 5, true, [4, 3, 5] => [4, 3, 5]);
    conv!(Deep: [3, 2], [1, 1], Padding::Same, 1, true, [2, 3, 9] => [2, 3, 10]);

    #[test]
    fn gradients_agree_with_finite_differences() {
        Trial::<Plain, WNConv2d<3, 2, 3, 3>>::random().with_step(1e-2, 1e-3).check_gradients();
        Trial::<Grouped, WNConv2d<6, 2, 2, 3, 0>>::random().with_step(1e-2, 1e-3).check_gradients();
        Trial::<Depthwise, WNConv2d<5, 1, 3, 3>>::random().with_step(1e-2, 1e-3).check_gradients();
        Trial::<Deep, WNConv2d<10, 9, 3, 2>>::random().with_step(1e-2, 1e-3).check_gradients();
    }

    #[test]
    fn inference_equals_training() {
        Trial::<Plain, WNConv2d<3, 2, 3, 3>>::random().check_inference();
        Trial::<Grouped, WNConv2d<6, 2, 2, 3, 0>>::random().check_inference();
        Trial::<Deep, WNConv2d<10, 9, 3, 2>>::random().check_inference();
    }

    #[test]
    fn agrees_with_the_naive_kernel() {
        let trial = Trial::<Grouped, WNConv2d<6, 2, 2, 3, 0>>::random();
        let weight = normalise(trial.node.weight.as_floats(), &trial.node.gain);
        let mut y = vec![f32::NAN; trial.d_y.len()];
        let (x, weight, bias) = (&trial.x[0][..], &weight[..], &[]);
        let g = Conv::<Grouped>::GEOMETRY;
        reference::conv2d(&g, ConvArgs { x, weight, bias, y: &mut y });
        for (found, expected) in trial.infer().iter().zip(&y) {
            assert!((found - expected).abs() < 1e-5, "{found} {expected}");
        }
    }

    #[test]
    fn begins_with_the_norms_of_its_weights() {
        check_initial_norm::<Plain, WNConv2d<3, 2, 3, 3>>(54, 57);
    }
}
