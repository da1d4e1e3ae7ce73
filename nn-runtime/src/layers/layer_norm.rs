//! [`LayerNorm`]: PyTorch's `nn.LayerNorm` over the last axis.

#[cfg(feature = "train")]
use crate::contract::{Backward, Forward, TrainNode};
use crate::contract::{Infer, Node, Spec, Streaming};
use crate::kernels::row_norm::{self, RowNorm, RowNormGradient, RowNormInput};
#[cfg(feature = "train")]
use crate::memory::TrainCtx;
#[cfg(feature = "train")]
use crate::system::RngKey;
use crate::types::Weights;
#[cfg(feature = "std")]
use crate::types::{LayerOrder, Tensor, layer_tensors};
use unrolled_shape::rules::layer_norm;

/// `(x - mean) / sqrt(variance + eps) * weight + bias`, with the mean and the (biased) variance over the last axis, or
/// the last `axes` axes: `[.., C] -> [.., C]` (Ba, Kiros and Hinton, 2016).
///
/// With one axis, each step of a sequence and each pixel of an image is normalised by itself. Inference equals training.
#[derive(Clone, Debug, PartialEq)]
#[repr(C)]
pub struct LayerNorm<const WEIGHT: usize, const BIAS: usize = WEIGHT> {
    /// One for each feature (for each element along `axes` axes, the last one innermost), or none.
    pub weight: [f32; WEIGHT],
    /// As many, or none.
    pub bias: [f32; BIAS],
}

// SAFETY: `repr(C)`, arrays of `f32` only.
unsafe impl<const WEIGHT: usize, const BIAS: usize> Weights for LayerNorm<WEIGHT, BIAS> {}

/// The normalisation of one row.
const fn norm<S: Spec<Arguments = layer_norm::LayerNorm>>() -> RowNorm {
    RowNorm { len: S::ARGUMENTS.features(S::INPUT), centred: true, eps: S::ARGUMENTS.eps as f32 }
}

impl<S, const WEIGHT: usize, const BIAS: usize> Node<S> for LayerNorm<WEIGHT, BIAS>
where
    S: Spec<Arguments = layer_norm::LayerNorm>,
{
    #[cfg(feature = "std")]
    fn file_tensors(order: &LayerOrder) -> Vec<Tensor> {
        layer_tensors(order, &|sink| S::ARGUMENTS.tensors(S::INPUTS, sink))
    }

    fn infer(&self, Infer { x, y, .. }: Infer<'_>) {
        let input = RowNormInput { x: x[0], weight: &self.weight, bias: &self.bias };
        row_norm::forward(const { norm::<S>() }, input, y, &mut []);
    }
}

impl<S, const WEIGHT: usize, const BIAS: usize> Streaming<S> for LayerNorm<WEIGHT, BIAS> where
    S: Spec<Arguments = layer_norm::LayerNorm>
{
}

#[cfg(feature = "train")]
impl<S, const WEIGHT: usize, const BIAS: usize> TrainNode<S> for LayerNorm<WEIGHT, BIAS>
where
    S: Spec<Arguments = layer_norm::LayerNorm>,
{
    /// Mean and inverse standard deviation of each row.
    const SAVED: usize = S::IN / norm::<S>().len * RowNorm::SAVED;
    /// The gradient of the weights.
    const SHARD_SUMS: usize = Self::LEN;

    fn initialise(&mut self, _key: RngKey) {
        self.weight.fill(1.0);
    }

    fn forward_shard(&self, Forward { x, y, ctx, .. }: Forward<'_>) {
        let norm = const { norm::<S>() };
        let input = RowNormInput { x: x[0], weight: &self.weight, bias: &self.bias };
        row_norm::forward(norm, input, y, ctx.saved);
    }

    fn backward_shard(&self, Backward { pass, x, d_y, d_x, ctx, .. }: Backward<'_, '_>) {
        let TrainCtx { saved, shard_sums, .. } = ctx;
        let (d_weight, d_bias) = shard_sums.split_at_mut(WEIGHT);
        let call = RowNormGradient { x: x[0], weight: &self.weight, saved, d_y };
        if pass.trains_weights() {
            row_norm::d_weights(const { norm::<S>() }, call, d_weight, d_bias);
        }
        if let Some(d_x) = &mut d_x[0] {
            row_norm::backward(const { norm::<S>() }, call, d_x);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::reference::Groups;
    use crate::layers::testing::{Trial, check_normalisation, spec};
    use crate::types::WeightSlice;

    spec!(Steps: layer_norm::LayerNorm { eps: 1e-5, affine: true, bias: true, axes: 1 }, [&[3, 5]] -> &[3, 5]);
    spec!(Wide: layer_norm::LayerNorm { eps: 1e-3, affine: true, bias: false, axes: 1 }, [&[2, 37]] -> &[2, 37]);
    spec!(Rows: layer_norm::LayerNorm { eps: 1e-3, affine: true, bias: true, axes: 2 }, [&[3, 2, 4]] -> &[3, 2, 4]);
    spec!(All: layer_norm::LayerNorm { eps: 1e-5, affine: true, bias: false, axes: 3 }, [&[3, 2, 4]] -> &[3, 2, 4]);
    spec!(Plain: layer_norm::LayerNorm { eps: 1e-5, affine: false, bias: true, axes: 1 }, [&[16]] -> &[16]);

    #[test]
    fn agrees_with_finite_differences() {
        Trial::<Steps, LayerNorm<5>>::random().with_step(1e-2, 1e-3).check_gradients();
        Trial::<Wide, LayerNorm<37, 0>>::random().with_step(1e-2, 1e-3).check_gradients();
        Trial::<Rows, LayerNorm<8>>::random().with_step(1e-2, 1e-3).check_gradients();
        Trial::<All, LayerNorm<24, 0>>::random().with_step(1e-2, 1e-3).check_gradients();
        Trial::<Plain, LayerNorm<0>>::random().with_step(1e-2, 1e-3).check_gradients();
    }

    #[test]
    fn inference_equals_training() {
        Trial::<Steps, LayerNorm<5>>::random().check_inference();
        Trial::<Wide, LayerNorm<37, 0>>::random().check_inference();
        Trial::<Rows, LayerNorm<8>>::random().check_inference();
        Trial::<All, LayerNorm<24, 0>>::random().check_inference();
        Trial::<Plain, LayerNorm<0>>::random().check_inference();
    }

    #[test]
    fn agrees_with_the_naive_kernel() {
        let row = |channels, eps| Groups { positions: 1, channels, groups: 1, centred: true, eps };
        check_normalisation::<Steps, LayerNorm<5>>([5, 5], row(5, 1e-5));
        check_normalisation::<Wide, LayerNorm<37, 0>>([37, 0], row(37, 1e-3));
        check_normalisation::<Plain, LayerNorm<0>>([0, 0], row(16, 1e-5));
        check_normalisation::<Rows, LayerNorm<8>>([8, 8], row(8, 1e-3));
        check_normalisation::<All, LayerNorm<24, 0>>([24, 0], row(24, 1e-5));
    }

    #[test]
    fn a_row_of_equal_values_is_normalised_to_the_bias() {
        let mut trial = Trial::<Steps, LayerNorm<5>>::random();
        trial.x[0].fill(0.1);
        let outcome = trial.train();
        assert!(outcome.y.chunks_exact(5).all(|y| y == trial.node.bias));
        assert!(outcome.d_x[0].iter().all(|d| d.is_finite()));
    }

    #[test]
    fn is_initialised_as_in_pytorch_and_has_its_tensors() {
        let mut layer = <LayerNorm<3> as Weights>::zeros();
        TrainNode::<Steps>::initialise(&mut *layer, RngKey::new(0));
        assert_eq!(layer.as_floats(), [1.0, 1.0, 1.0, 0.0, 0.0, 0.0]);
        let tensors = <LayerNorm<5> as Node<Steps>>::file_tensors(&LayerOrder::default());
        let names: Vec<_> = tensors.iter().map(|t| (t.name.as_str(), t.offset)).collect();
        assert_eq!(names, [("weight", 0), ("bias", 5)]);
        assert_eq!(<LayerNorm<37, 0> as Node<Wide>>::file_tensors(&LayerOrder::default()).len(), 1);
        assert_eq!(<LayerNorm<0> as Node<Plain>>::file_tensors(&LayerOrder::default()), []);
    }
}
