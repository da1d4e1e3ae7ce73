//! [`SNConv2d`]: a convolution over height and width with spectral normalisation, channels last.

use super::convolution::Convolution;
use super::normalised::NormalisedConvolution;
use super::spectral::spectral_node;
use crate::contract::Spec;
use crate::kernels::Geometry;
use core::marker::PhantomData;
use unrolled_shape::rules::sn_conv2d;

/// A convolution with weights `w / sigma`, where `sigma = u . W v` approximates the largest singular value of
/// the weights as a matrix `W` with a row for each output: `[H, W, C] -> [H', W', F]` (Miyato et al., 2018).
///
/// Each forward pass in training begins with one power iteration: `u = W v`, then `v = Wᵀ u`, divided by their norms. The
/// gradient takes both as constants. Inference and frozen layers use them as they are, and inference computes the weights in
/// each call. Where all weights are 0, all outputs are NaN.
///
/// `CG` is the number of input channels of one group, `KH x KW` the size of the kernel.
#[derive(Clone, Debug, PartialEq)]
#[repr(C)]
pub struct SNConv2d<
    const F: usize,
    const CG: usize,
    const KH: usize,
    const KW: usize,
    const BIAS: usize = F,
> {
    /// `w`, `[KH, KW, CG, F]`; PyTorch's is `[F, CG, KH, KW]`.
    pub weight: [[[[f32; F]; CG]; KW]; KH],
    /// One for each output channel, or none.
    pub bias: [f32; BIAS],
    /// Approximates the left singular vector of the largest singular value. Not trained.
    pub u: [f32; F],
    /// Approximates the right one, in PyTorch's order. Not trained.
    pub v: [[[f32; KW]; KH]; CG],
}

spectral_node!(
    [const F: usize, const CG: usize, const KH: usize, const KW: usize, const BIAS: usize]
    SNConv2d<F, CG, KH, KW, BIAS>, sn_conv2d::SNConv2d, Conv
);

/// The convolution with the sizes of one spec.
struct Conv<S>(PhantomData<S>);

impl<S: Spec<Arguments = sn_conv2d::SNConv2d>> Convolution for Conv<S> {
    const GEOMETRY: Geometry =
        Geometry::new(S::ARGUMENTS.window(S::INPUT), S::INPUT, S::OUTPUT, S::ARGUMENTS.groups);
    const BIAS: usize = if S::ARGUMENTS.bias { S::OUTPUT.last() } else { 0 };
}

impl<S: Spec<Arguments = sn_conv2d::SNConv2d>> NormalisedConvolution for Conv<S> {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::{ConvArgs, reference};
    use crate::layers::spectral::testing::{check_close, converged, doubles, naive};
    use crate::layers::testing::{Trial, spec};
    use crate::types::WeightSlice;
    use unrolled_shape::Padding;

    macro_rules! conv {
        ($Name:ident: $kernel:expr, $stride:expr, $padding:expr, $groups:expr, $bias:expr,
         $input:expr => $output:expr) => {
            spec!($Name: sn_conv2d::SNConv2d {
                out_channels: $output[2],
                kernel: $kernel,
                stride: $stride,
                padding: $padding,
                dilation: [1, 1],
                groups: $groups,
                bias: $bias,
                names: sn_conv2d::Names::Parametrizations,
            }, [&$input] -> &$output);
        };
    }

    conv!(Plain: [3, 3], [1, 1], Padding::Same, 1, true, [4, 3, 2] => [4, 3, 3]);
    conv!(Grouped: [2, 3], [2, 1], Padding::Explicit([1, 0]), 2, false, [4, 5, 4] => [3, 3, 6]);
    conv!(Depthwise: [3, 3], [1, 1], Padding::Same, 5, true, [4, 3, 5] => [4, 3, 5]);

    #[test]
    fn gradients_agree_with_finite_differences() {
        converged::<Plain, SNConv2d<3, 2, 3, 3>>().check_gradients();
        converged::<Grouped, SNConv2d<6, 2, 2, 3, 0>>().check_gradients();
        converged::<Depthwise, SNConv2d<5, 1, 3, 3>>().check_gradients();
    }

    #[test]
    fn inference_equals_the_step_before() {
        Trial::<Plain, SNConv2d<3, 2, 3, 3>>::random().check_inference();
        Trial::<Grouped, SNConv2d<6, 2, 2, 3, 0>>::random().check_inference();
        Trial::<Depthwise, SNConv2d<5, 1, 3, 3>>::random().check_inference();
    }

    /// `v` in the order of the rows of the weights.
    fn rows(v: &[[[f32; 3]; 2]; 2]) -> Vec<f32> {
        let taps = (0..2).flat_map(|y| (0..3).map(move |x| (y, x)));
        taps.flat_map(|(y, x)| (0..2).map(move |channel| v[channel][y][x])).collect()
    }

    #[test]
    fn a_step_is_that_of_the_definition() {
        let mut trial = Trial::<Grouped, SNConv2d<6, 2, 2, 3, 0>>::random();
        let before = doubles(&rows(&trial.node.v));
        let after = naive(trial.node.weight.as_floats(), &before, 6);
        let found = trial.train().y;
        check_close("u", &trial.node.u, &after.u);
        check_close("v", &rows(&trial.node.v), &after.rows);
        let weight = &after.weight;
        let mut y = vec![f32::NAN; found.len()];
        let (x, bias, g) = (&trial.x[0][..], &[][..], &Conv::<Grouped>::GEOMETRY);
        reference::conv2d(g, ConvArgs { x, weight, bias, y: &mut y });
        check_close("y", &found, &doubles(&y));
    }
}
