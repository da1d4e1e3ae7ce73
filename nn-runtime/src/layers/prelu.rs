//! [`PReLU`]: PyTorch's `nn.PReLU`.

#[cfg(feature = "train")]
use crate::contract::{Backward, Forward, TrainNode};
use crate::contract::{Infer, Node, Spec, Streaming};
use crate::kernels::dispatch::dispatch;
#[cfg(feature = "train")]
use crate::kernels::row_sums;
#[cfg(feature = "train")]
use crate::system::RngKey;
use crate::types::Weights;
#[cfg(feature = "std")]
use crate::types::{LayerOrder, Tensor, layer_tensors};
use unrolled_shape::rules::prelu;

/// `x` above 0, `a * x` below, where `a` is trained: `[.., C] -> [.., C]` (He et al., 2015).
#[derive(Clone, Debug, PartialEq)]
#[repr(C)]
pub struct PReLU<const SLOPES: usize> {
    /// The slopes `a`: one for all channels, or one for each.
    pub weight: [f32; SLOPES],
}

// SAFETY: `repr(C)`, an array of `f32`.
unsafe impl<const SLOPES: usize> Weights for PReLU<SLOPES> {}

impl<S, const SLOPES: usize> Node<S> for PReLU<SLOPES>
where
    S: Spec<Arguments = prelu::PReLU>,
{
    /// A slope for each channel.
    const SCRATCH: usize = S::INPUT.last();

    #[cfg(feature = "std")]
    fn file_tensors(order: &LayerOrder) -> Vec<Tensor> {
        layer_tensors(order, &|sink| S::ARGUMENTS.tensors(S::INPUTS, sink))
    }

    fn infer(&self, Infer { x, y, ctx, .. }: Infer<'_>) {
        let slopes = spread(&self.weight, &mut ctx.scratch[..S::INPUT.last()]);
        forward(slopes, x[0], y);
    }
}

impl<S: Spec<Arguments = prelu::PReLU>, const SLOPES: usize> Streaming<S> for PReLU<SLOPES> {}

#[cfg(feature = "train")]
impl<S, const SLOPES: usize> TrainNode<S> for PReLU<SLOPES>
where
    S: Spec<Arguments = prelu::PReLU>,
{
    /// The gradient of the slopes.
    const SHARD_SUMS: usize = SLOPES;
    /// A slope and its gradient for each channel.
    const TRAIN_SCRATCH: usize = 2 * S::INPUT.last();

    fn initialise(&mut self, _key: RngKey) {
        self.weight.fill(S::ARGUMENTS.init as f32);
    }

    fn forward_shard(&self, Forward { x, y, ctx, .. }: Forward<'_>) {
        let slopes = spread(&self.weight, &mut ctx.scratch[..S::INPUT.last()]);
        forward(slopes, x[0], y);
    }

    fn backward_shard(&self, Backward { x, d_y, d_x, ctx, .. }: Backward<'_, '_>) {
        let (slopes, rest) = ctx.scratch.split_at_mut(S::INPUT.last());
        let d_slopes = &mut rest[..S::INPUT.last()];
        row_sums::sum_of_negative_products(x[0], d_y, d_slopes);
        if S::ARGUMENTS.per_channel {
            ctx.shard_sums.copy_from_slice(d_slopes);
        } else {
            // Channel by channel up to here, so that the loop over elements is the same.
            ctx.shard_sums[0] = d_slopes.iter().map(|d| f64::from(*d)).sum::<f64>() as f32;
        }
        if let Some(d_x) = &mut d_x[0] {
            backward(spread(&self.weight, slopes), x[0], d_y, d_x);
        }
    }
}

/// Writes one slope for each channel, even if all channels share one.
fn spread<'a>(weight: &[f32], slopes: &'a mut [f32]) -> &'a [f32] {
    for (slope, weight) in slopes.iter_mut().zip(weight.iter().cycle()) {
        *slope = *weight;
    }
    slopes
}

dispatch! {
    fn forward(slopes: &[f32], x: &[f32], y: &mut [f32]) {
        for (x, y) in x.chunks_exact(slopes.len()).zip(y.chunks_exact_mut(slopes.len())) {
            for ((y, &x), slope) in y.iter_mut().zip(x).zip(slopes) {
                *y = if x > 0.0 { x } else { slope * x };
            }
        }
    }
}

#[cfg(feature = "train")]
dispatch! {
    fn backward(slopes: &[f32], x: &[f32], d_y: &[f32], d_x: &mut [f32]) {
        let rows = x.chunks_exact(slopes.len()).zip(d_y.chunks_exact(slopes.len()));
        for ((x, d_y), d_x) in rows.zip(d_x.chunks_exact_mut(slopes.len())) {
            for (((d_x, &x), &d_y), slope) in d_x.iter_mut().zip(x).zip(d_y).zip(slopes) {
                *d_x = if x > 0.0 { d_y } else { slope * d_y };
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::testing::{Trial, spec};

    spec!(Shared: prelu::PReLU { per_channel: false, init: 0.25 }, [&[3, 4]] -> &[3, 4]);
    spec!(PerChannel: prelu::PReLU { per_channel: true, init: 0.5 }, [&[3, 4]] -> &[3, 4]);

    #[test]
    fn agrees_with_finite_differences() {
        Trial::<Shared, PReLU<1>>::random().with_step(1e-3, 1e-3).check_gradients();
        Trial::<PerChannel, PReLU<4>>::random().with_step(1e-3, 1e-3).check_gradients();
    }

    #[test]
    fn has_a_slope_below_0() {
        let mut trial = Trial::<PerChannel, PReLU<4>>::random();
        trial.node.weight = [0.5, -1.0, 2.0, 0.0];
        trial.x[0][..8].copy_from_slice(&[-2.0, -2.0, -2.0, -2.0, 3.0, 3.0, 3.0, 3.0]);
        assert_eq!(trial.infer()[..8], [-1.0, 2.0, -4.0, 0.0, 3.0, 3.0, 3.0, 3.0]);
        trial.check_inference();
    }

    #[test]
    fn a_shared_slope_sums_the_gradients_of_all_channels() {
        let mut trial = Trial::<Shared, PReLU<1>>::random();
        let expected = trial.x[0].iter().zip(&trial.d_y);
        let expected = expected.map(|(x, d)| f64::from(x.min(0.0)) * f64::from(*d)).sum::<f64>();
        let found = f64::from(trial.train().d_weights[0]);
        assert!((found - expected).abs() < 1e-5, "{found} {expected}");
    }

    #[test]
    fn is_initialised_as_in_pytorch_and_has_its_tensors() {
        let mut layer = <PReLU<4> as Weights>::zeros();
        TrainNode::<PerChannel>::initialise(&mut *layer, RngKey::new(0));
        assert_eq!(layer.weight, [0.5; 4]);
        let tensors = <PReLU<1> as Node<Shared>>::file_tensors(&LayerOrder::default());
        assert_eq!(tensors, [Tensor::new("weight", 0, vec![crate::types::Axis::plain(1, 1)])]);
    }
}
