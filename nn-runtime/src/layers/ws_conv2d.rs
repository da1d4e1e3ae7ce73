//! [`WSConv2d`]: timm's `ScaledStdConv2d`, a convolution with standardised weights, channels last.

use super::convolution::Convolution;
use super::normalised::{GainConvolution, Normalisation, NormalisedConvolution, normalised_node};
use crate::contract::Spec;
use crate::kernels::Geometry;
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

normalised_node!(
    [const F: usize, const CG: usize, const KH: usize, const KW: usize, const BIAS: usize]
    WSConv2d<F, CG, KH, KW, BIAS>, ws_conv2d::WSConv2d, Conv
);

/// The convolution with the sizes of one spec.
struct Conv<S>(PhantomData<S>);

impl<S: Spec<Arguments = ws_conv2d::WSConv2d>> Convolution for Conv<S> {
    const GEOMETRY: Geometry =
        Geometry::new(S::ARGUMENTS.window(S::INPUT), S::INPUT, S::OUTPUT, S::ARGUMENTS.groups);
    const BIAS: usize = if S::ARGUMENTS.bias { S::OUTPUT.last() } else { 0 };
}

impl<S: Spec<Arguments = ws_conv2d::WSConv2d>> NormalisedConvolution for Conv<S> {}

impl<S: Spec<Arguments = ws_conv2d::WSConv2d>> GainConvolution for Conv<S> {
    const NORMALISATION: Normalisation = Normalisation::Standardised { eps: S::ARGUMENTS.eps };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::{Node, TrainNode};
    use crate::kernels::reference;
    use crate::layers::testing::{Trial, spec};
    use crate::types::{LayerOrder, WeightSlice};
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
        let g = Conv::<Grouped>::GEOMETRY;
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
