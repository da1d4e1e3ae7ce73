//! [`WNDense`]: a dense layer with weight normalisation.

use super::convolution::Convolution;
use super::normalised::{GainConvolution, NormalisedConvolution, normalised_node};
use crate::contract::{Spec, Streaming};
use crate::kernels::Geometry;
use core::marker::PhantomData;
use unrolled_shape::Shape;
use unrolled_shape::rules::window::{Over, Window};
use unrolled_shape::rules::wn_dense;

/// A fully connected layer on the last axis with weights `g * v / ||v||`, where the norm is that of all weights of one output:
/// `[.., IN] -> [.., UNITS]` (Salimans and Kingma, 2016).
///
/// Inference computes the weights in each call. Where those of one output are all 0, that output is NaN. A new layer has the
/// outputs of a new [`Dense`](super::Dense).
#[derive(Clone, Debug, PartialEq)]
#[repr(C)]
pub struct WNDense<const IN: usize, const UNITS: usize, const BIAS: usize = UNITS> {
    /// `v`: one row per input, one column per output; the transpose of PyTorch's.
    pub weight: [[f32; UNITS]; IN],
    /// One for each output, or none.
    pub bias: [f32; BIAS],
    /// `g`, one for each output.
    pub gain: [f32; UNITS],
}

normalised_node!(
    [const IN: usize, const UNITS: usize, const BIAS: usize] WNDense<IN, UNITS, BIAS>, wn_dense::WNDense, Conv
);

impl<S, const IN: usize, const UNITS: usize, const BIAS: usize> Streaming<S>
    for WNDense<IN, UNITS, BIAS>
where
    S: Spec<Arguments = wn_dense::WNDense>,
{
}

/// The layer with the sizes of one spec, as a convolution: each row of the input is an image of one pixel.
struct Conv<S>(PhantomData<S>);

impl<S: Spec<Arguments = wn_dense::WNDense>> Convolution for Conv<S> {
    const GEOMETRY: Geometry = {
        let pixel = Window::without_padding(Over::Images, [1; 3], [1; 3], [1; 3]);
        let [input, output] = [S::INPUT.last(), S::OUTPUT.last()];
        Geometry::new(pixel, Shape::new(&[1, 1, input]), Shape::new(&[1, 1, output]), 1)
    };
    const BIAS: usize = if S::ARGUMENTS.bias { S::OUTPUT.last() } else { 0 };
}

impl<S: Spec<Arguments = wn_dense::WNDense>> NormalisedConvolution for Conv<S> {}

impl<S: Spec<Arguments = wn_dense::WNDense>> GainConvolution for Conv<S> {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::{DenseArgs, reference};
    use crate::layers::normalised::testing::{check_initial_norm, normalise};
    use crate::layers::testing::{Trial, spec};
    use crate::types::WeightSlice;

    macro_rules! dense {
        ($Name:ident: $bias:expr, $input:expr => $output:expr) => {
            spec!($Name: wn_dense::WNDense {
                units: $output[$output.len() - 1],
                bias: $bias,
                names: wn_dense::Names::Parametrizations,
            }, [&$input] -> &$output);
        };
    }

    dense!(Vector: true, [7] => [3]);
    dense!(Large: true, [2, 17] => [2, 33]);
    dense!(Steps: false, [3, 2, 5] => [3, 2, 4]);

    #[test]
    fn gradients_agree_with_finite_differences() {
        Trial::<Vector, WNDense<7, 3>>::random().with_step(1e-2, 1e-3).check_gradients();
        Trial::<Large, WNDense<17, 33>>::random().with_step(1e-2, 1e-3).check_gradients();
        Trial::<Steps, WNDense<5, 4, 0>>::random().with_step(1e-2, 1e-3).check_gradients();
    }

    #[test]
    fn inference_equals_training() {
        Trial::<Vector, WNDense<7, 3>>::random().check_inference();
        Trial::<Large, WNDense<17, 33>>::random().check_inference();
        Trial::<Steps, WNDense<5, 4, 0>>::random().check_inference();
    }

    #[test]
    fn agrees_with_the_naive_kernel() {
        let trial = Trial::<Large, WNDense<17, 33>>::random();
        let weight = normalise(trial.node.weight.as_floats(), &trial.node.gain);
        let mut y = vec![f32::NAN; trial.d_y.len()];
        let (x, weight, bias) = (&trial.x[0][..], &weight[..], &trial.node.bias[..]);
        reference::dense(DenseArgs { inputs: 17, units: 33, x, weight, bias, y: &mut y });
        for (found, expected) in trial.infer().iter().zip(&y) {
            assert!((found - expected).abs() < 1e-5, "{found} {expected}");
        }
    }

    #[test]
    fn begins_with_the_norms_of_its_weights() {
        check_initial_norm::<Steps, WNDense<5, 4, 0>>(5 * 4, 5 * 4);
    }

    #[test]
    fn outputs_without_weights_are_nan_as_in_pytorch() {
        let mut trial = Trial::<Vector, WNDense<7, 3>>::random();
        trial.node.weight.iter_mut().for_each(|row| row[1] = 0.0);
        for y in trial.infer().chunks_exact(3) {
            assert_eq!([0, 1, 2].map(|unit| y[unit].is_nan()), [false, true, false]);
        }
        let d_weights = trial.train().d_weights;
        let d = WNDense::<7, 3>::from_floats(&d_weights);
        assert_eq!([0, 1, 2].map(|unit| d.gain[unit].is_nan()), [false, true, false]);
    }
}
