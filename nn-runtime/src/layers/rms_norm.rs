//! [`RMSNorm`]: PyTorch's `nn.RMSNorm` over the last axis.

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
use unrolled_shape::rules::rms_norm;

/// `x / sqrt(mean(x^2) + eps) * weight`, with the mean over the last axis: `[.., C] -> [.., C]`
/// (Zhang and Sennrich, 2019).
#[derive(Clone, Debug, PartialEq)]
#[repr(C)]
pub struct RMSNorm<const WEIGHT: usize> {
    /// One for each feature, or none.
    pub weight: [f32; WEIGHT],
}

// SAFETY: `repr(C)`, an array of `f32`.
unsafe impl<const WEIGHT: usize> Weights for RMSNorm<WEIGHT> {}

/// The normalisation of one row.
const fn norm<S: Spec<Arguments = rms_norm::RMSNorm>>() -> RowNorm {
    RowNorm { len: S::INPUT.last(), centred: false, eps: S::ARGUMENTS.eps as f32 }
}

impl<S: Spec<Arguments = rms_norm::RMSNorm>, const WEIGHT: usize> Node<S> for RMSNorm<WEIGHT> {
    #[cfg(feature = "std")]
    fn file_tensors(order: &LayerOrder) -> Vec<Tensor> {
        layer_tensors(order, &|sink| S::ARGUMENTS.tensors(S::INPUTS, sink))
    }

    fn infer(&self, Infer { x, y, .. }: Infer<'_>) {
        let input = RowNormInput { x: x[0], weight: &self.weight, bias: &[] };
        row_norm::forward(const { norm::<S>() }, input, y, &mut []);
    }
}

impl<S, const WEIGHT: usize> Streaming<S> for RMSNorm<WEIGHT> where
    S: Spec<Arguments = rms_norm::RMSNorm>
{
}

#[cfg(feature = "train")]
impl<S: Spec<Arguments = rms_norm::RMSNorm>, const WEIGHT: usize> TrainNode<S> for RMSNorm<WEIGHT> {
    /// The inverse root mean square of each row.
    const SAVED: usize = S::INPUT.with_last(1).len() * RowNorm::SAVED;
    /// The gradient of the weights.
    const SHARD_SUMS: usize = WEIGHT;

    fn initialise(&mut self, _key: RngKey) {
        self.weight.fill(1.0);
    }

    fn forward_shard(&self, Forward { x, y, ctx, .. }: Forward<'_>) {
        let input = RowNormInput { x: x[0], weight: &self.weight, bias: &[] };
        row_norm::forward(const { norm::<S>() }, input, y, ctx.saved);
    }

    fn backward_shard(&self, Backward { pass, x, d_y, d_x, ctx, .. }: Backward<'_, '_>) {
        let TrainCtx { saved, shard_sums, .. } = ctx;
        let call = RowNormGradient { x: x[0], weight: &self.weight, saved, d_y };
        if pass.trains_weights() {
            row_norm::d_weights(const { norm::<S>() }, call, shard_sums, &mut []);
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

    spec!(Steps: rms_norm::RMSNorm { eps: 1e-3, affine: true }, [&[3, 19]] -> &[3, 19]);
    spec!(Plain: rms_norm::RMSNorm { eps: 1e-6, affine: false }, [&[6]] -> &[6]);

    #[test]
    fn agrees_with_finite_differences() {
        Trial::<Steps, RMSNorm<19>>::random().with_step(1e-2, 1e-3).check_gradients();
        Trial::<Plain, RMSNorm<0>>::random().with_step(1e-2, 1e-3).check_gradients();
    }

    #[test]
    fn inference_equals_training() {
        Trial::<Steps, RMSNorm<19>>::random().check_inference();
        Trial::<Plain, RMSNorm<0>>::random().check_inference();
    }

    #[test]
    fn agrees_with_the_naive_kernel() {
        check_normalisation::<Steps, RMSNorm<19>>(
            [19, 0],
            Groups { positions: 1, channels: 19, groups: 1, centred: false, eps: 1e-3 },
        );
        check_normalisation::<Plain, RMSNorm<0>>(
            [0, 0],
            Groups { positions: 1, channels: 6, groups: 1, centred: false, eps: 1e-6 },
        );
    }

    #[test]
    fn zeros_stay_zeros() {
        let mut trial = Trial::<Steps, RMSNorm<19>>::random();
        trial.x[0].fill(0.0);
        let outcome = trial.train();
        assert!(outcome.y.iter().all(|y| *y == 0.0));
        assert!(outcome.d_x[0].iter().all(|d| d.is_finite()));
    }

    #[test]
    fn is_initialised_as_in_pytorch() {
        let mut layer = <RMSNorm<3> as Weights>::zeros();
        TrainNode::<Steps>::initialise(&mut *layer, RngKey::new(0));
        assert_eq!(layer.weight, [1.0; 3]);
    }
}
