//! [`SNDense`]: a dense layer with spectral normalisation.

use super::convolution::Convolution;
use super::normalised::NormalisedConvolution;
use super::spectral::spectral_node;
use crate::contract::{Spec, Streaming};
use crate::kernels::Geometry;
use core::marker::PhantomData;
use unrolled_shape::Shape;
use unrolled_shape::rules::sn_dense;
use unrolled_shape::rules::window::{Over, Window};

/// A fully connected layer on the last axis with weights `w / sigma`, where `sigma = u . W v` approximates the largest singular
/// value of the weights as a matrix `W` with a row for each output: `[.., IN] -> [.., UNITS]` (Miyato et al., 2018).
///
/// Each forward pass in training begins with one power iteration: `u = W v`, then `v = Wᵀ u`, divided by their norms. The
/// gradient takes both as constants. Inference and frozen layers use them as they are, and inference computes the weights in
/// each call. Where all weights are 0, all outputs are NaN.
#[derive(Clone, Debug, PartialEq)]
#[repr(C)]
pub struct SNDense<const IN: usize, const UNITS: usize, const BIAS: usize = UNITS> {
    /// `w`: one row per input, one column per output; the transpose of PyTorch's.
    pub weight: [[f32; UNITS]; IN],
    /// One for each output, or none.
    pub bias: [f32; BIAS],
    /// Approximates the left singular vector of the largest singular value. Not trained.
    pub u: [f32; UNITS],
    /// Approximates the right one. Not trained.
    pub v: [f32; IN],
}

spectral_node!(
    [const IN: usize, const UNITS: usize, const BIAS: usize] SNDense<IN, UNITS, BIAS>, sn_dense::SNDense, Conv
);

impl<S, const IN: usize, const UNITS: usize, const BIAS: usize> Streaming<S>
    for SNDense<IN, UNITS, BIAS>
where
    S: Spec<Arguments = sn_dense::SNDense>,
{
}

/// The layer with the sizes of one spec, as a convolution: each row of the input is an image of one pixel.
struct Conv<S>(PhantomData<S>);

impl<S: Spec<Arguments = sn_dense::SNDense>> Convolution for Conv<S> {
    const GEOMETRY: Geometry = {
        let pixel = Window::without_padding(Over::Images, [1; 3], [1; 3], [1; 3]);
        let [input, output] = [S::INPUT.last(), S::OUTPUT.last()];
        Geometry::new(pixel, Shape::new(&[1, 1, input]), Shape::new(&[1, 1, output]), 1)
    };
    const BIAS: usize = if S::ARGUMENTS.bias { S::OUTPUT.last() } else { 0 };
}

impl<S: Spec<Arguments = sn_dense::SNDense>> NormalisedConvolution for Conv<S> {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::TrainNode;
    use crate::kernels::{DenseArgs, reference};
    use crate::layers::normalised::NormalisedWeights;
    use crate::layers::spectral::Spectral;
    use crate::layers::spectral::testing::{Naive, check_close, converged, doubles, naive};
    use crate::layers::testing::{Trial, spec};
    use crate::system::RngKey;
    use crate::types::{WeightSlice, Weights};

    macro_rules! dense {
        ($Name:ident: $bias:expr, $input:expr => $output:expr) => {
            spec!($Name: sn_dense::SNDense {
                units: $output[$output.len() - 1],
                bias: $bias,
                names: sn_dense::Names::Parametrizations,
            }, [&$input] -> &$output);
        };
    }

    dense!(Vector: true, [7] => [3]);
    dense!(Large: true, [2, 17] => [2, 33]);
    dense!(Steps: false, [3, 2, 5] => [3, 2, 4]);

    /// `sigma`, from a weight before and after normalisation.
    fn sigma<S: Spec<Arguments = sn_dense::SNDense>, const IN: usize, const UNITS: usize>(
        layer: &SNDense<IN, UNITS>,
    ) -> f64 {
        let mut memory = vec![f32::NAN; Spectral::<Conv<S>>::SCRATCH];
        let (weight, _) = layer.spectral::<S>().normalise(&mut memory);
        f64::from(layer.weight[0][0]) / f64::from(weight[0])
    }

    #[test]
    fn gradients_agree_with_finite_differences() {
        converged::<Vector, SNDense<7, 3>>().check_gradients();
        converged::<Large, SNDense<17, 33>>().check_gradients();
        converged::<Steps, SNDense<5, 4, 0>>().check_gradients();
    }

    #[test]
    fn inference_equals_the_step_before() {
        Trial::<Vector, SNDense<7, 3>>::random().check_inference();
        Trial::<Large, SNDense<17, 33>>::random().check_inference();
        Trial::<Steps, SNDense<5, 4, 0>>::random().check_inference();
    }

    #[test]
    fn a_step_is_that_of_the_definition() {
        let mut trial = Trial::<Large, SNDense<17, 33>>::random();
        let Naive { u, rows, weight, .. } =
            naive(trial.node.weight.as_floats(), &doubles(&trial.node.v), 33);
        let found = trial.train().y;
        check_close("u", &trial.node.u, &u);
        check_close("v", &trial.node.v, &rows);
        let mut y = vec![f32::NAN; found.len()];
        let (x, weight, bias) = (&trial.x[0][..], &weight[..], &trial.node.bias[..]);
        reference::dense(DenseArgs { inputs: 17, units: 33, x, weight, bias, y: &mut y });
        check_close("y", &found, &doubles(&y));
    }

    #[test]
    fn a_new_layer_has_made_power_iterations() {
        let mut layer = SNDense::<17, 33>::zeros();
        TrainNode::<Large>::initialise(&mut *layer, RngKey::new(3));
        // `v` is that of the last iteration, and one more changes little.
        let rows: Vec<f64> = doubles(&layer.v);
        let next = naive(layer.weight.as_floats(), &rows, 33);
        let distance = rows.iter().zip(&next.rows).map(|(a, b)| (a - b).powi(2)).sum::<f64>();
        assert!(distance.sqrt() < 0.1, "{distance}");
        assert!((sigma::<Large, 17, 33>(&layer) / next.sigma - 1.0).abs() < 1e-2);
        let mut other = SNDense::<17, 33>::zeros();
        TrainNode::<Large>::initialise(&mut *other, RngKey::new(4));
        assert_ne!(layer.v, other.v);
    }

    #[test]
    fn sigma_converges_to_the_largest_singular_value() {
        let mut trial = Trial::<Vector, SNDense<7, 3>>::random();
        // The product of a reflection, singular values, and another reflection.
        let values = [2.5, 2.0, 0.5];
        let entry = |a: &[f64], i: usize, j: usize| {
            let square = a.iter().map(|a| a * a).sum::<f64>();
            f64::from(u8::from(i == j)) - 2.0 * a[i] * a[j] / square
        };
        let (left, right) = ([1.0, -2.0, 0.5], [0.5, 1.0, 2.0, -1.0, 0.25, 3.0, -0.5]);
        for input in 0..7 {
            for unit in 0..3 {
                let term = |k: usize| entry(&left, unit, k) * values[k] * entry(&right, k, input);
                trial.node.weight[input][unit] = (0..3).map(term).sum::<f64>() as f32;
            }
        }
        (0..60).for_each(|_| drop(trial.train()));
        assert!((sigma::<Vector, 7, 3>(&trial.node) - 2.5).abs() < 1e-5);
    }

    #[test]
    fn outputs_without_weights_are_nan_as_in_pytorch() {
        let mut trial = Trial::<Vector, SNDense<7, 3>>::random();
        trial.node.weight.as_floats_mut().fill(0.0);
        assert!(trial.infer().iter().all(|y| y.is_nan()));
        assert!(trial.train().y.iter().all(|y| y.is_nan()));
    }
}
