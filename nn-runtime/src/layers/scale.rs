//! [`Scale`]: a factor, fixed or trained, on a residual branch.

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
use unrolled_shape::rules::scale;

/// `x * factor`: `[.., C] -> [.., C]`, with one factor for all channels, one for each, or a fixed one.
///
/// At the end of a residual branch this is `SkipInit` (De and Smith, 2020) with `init = 0`, `LayerScale` (Touvron et
/// al., 2021) with a factor for each channel, or the fixed scale of networks without normalisation (Brock et al.,
/// 2021).
#[derive(Clone, Debug, PartialEq)]
#[repr(C)]
pub struct Scale<const FACTORS: usize> {
    /// One factor for all channels, one for each, or none if it is fixed.
    pub weight: [f32; FACTORS],
}

// SAFETY: `repr(C)`, an array of `f32`.
unsafe impl<const FACTORS: usize> Weights for Scale<FACTORS> {}

impl<const FACTORS: usize> Scale<FACTORS> {
    /// `y = x * factor`; the input gradient is the same product.
    fn apply<S: Spec<Arguments = scale::Scale>>(&self, x: &[f32], y: &mut [f32]) {
        if S::ARGUMENTS.per_channel {
            return multiply(&self.weight, x, y);
        }
        // A fixed factor is no weight: it is always `init`.
        let fixed = S::ARGUMENTS.init as f32;
        multiply_all(*self.weight.first().unwrap_or(&fixed), x, y);
    }
}

impl<S: Spec<Arguments = scale::Scale>, const FACTORS: usize> Node<S> for Scale<FACTORS> {
    #[cfg(feature = "std")]
    fn file_tensors(order: &LayerOrder) -> Vec<Tensor> {
        layer_tensors(order, &|sink| S::ARGUMENTS.tensors(S::INPUTS, sink))
    }

    fn infer(&self, Infer { x, y, .. }: Infer<'_>) {
        self.apply::<S>(x[0], y);
    }
}

impl<S: Spec<Arguments = scale::Scale>, const FACTORS: usize> Streaming<S> for Scale<FACTORS> {}

#[cfg(feature = "train")]
impl<S: Spec<Arguments = scale::Scale>, const FACTORS: usize> TrainNode<S> for Scale<FACTORS> {
    /// The gradient of the factors.
    const SHARD_SUMS: usize = FACTORS;

    fn initialise(&mut self, _key: RngKey) {
        self.weight.fill(S::ARGUMENTS.init as f32);
    }

    fn forward_shard(&self, Forward { x, y, .. }: Forward<'_>) {
        self.apply::<S>(x[0], y);
    }

    fn backward_shard(&self, Backward { pass, x, d_y, d_x, ctx, .. }: Backward<'_, '_>) {
        match ctx.shard_sums {
            _ if !pass.trains_weights() => {}
            d_factors if S::ARGUMENTS.per_channel => {
                row_sums::sum_of_products(x[0], d_y, d_factors)
            }
            [d_factor] => row_sums::sum_of_all_products(x[0], d_y, d_factor),
            _ => {}
        }
        if let Some(d_x) = &mut d_x[0] {
            self.apply::<S>(d_y, d_x);
        }
    }
}

dispatch! {
    fn multiply(factors: &[f32], x: &[f32], y: &mut [f32]) {
        for (x, y) in x.chunks_exact(factors.len()).zip(y.chunks_exact_mut(factors.len())) {
            for (y, (x, factor)) in y.iter_mut().zip(x.iter().zip(factors)) {
                *y = x * factor;
            }
        }
    }

    fn multiply_all(factor: f32, x: &[f32], y: &mut [f32]) {
        y.iter_mut().zip(x).for_each(|(y, x)| *y = x * factor);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::testing::{Trial, spec};

    spec!(One: scale::Scale { init: 0.5, trained: true, per_channel: false }, [&[3, 7]] -> &[3, 7]);
    spec!(Each: scale::Scale { init: 0.25, trained: true, per_channel: true }, [&[3, 7]] -> &[3, 7]);
    spec!(Fixed: scale::Scale { init: -2.0, trained: false, per_channel: false }, [&[3, 7]] -> &[3, 7]);

    #[test]
    fn agrees_with_finite_differences() {
        Trial::<One, Scale<1>>::random().check_gradients();
        Trial::<Each, Scale<7>>::random().check_gradients();
        Trial::<Fixed, Scale<0>>::random().check_gradients();
    }

    #[test]
    fn inference_equals_training() {
        Trial::<One, Scale<1>>::random().check_inference();
        Trial::<Each, Scale<7>>::random().check_inference();
        Trial::<Fixed, Scale<0>>::random().check_inference();
    }

    #[test]
    fn multiplies() {
        let mut trial = Trial::<Each, Scale<7>>::random();
        trial.node.weight = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        for (i, (y, x)) in trial.infer().iter().zip(&trial.x[0]).enumerate() {
            assert_eq!(*y, x * (i % 7) as f32);
        }
        let trial = Trial::<Fixed, Scale<0>>::random();
        assert!(trial.infer().iter().zip(&trial.x[0]).all(|(y, x)| *y == -2.0 * x));
    }

    #[test]
    fn starts_at_init_and_has_its_tensors() {
        let mut layer = <Scale<7> as Weights>::zeros();
        TrainNode::<Each>::initialise(&mut *layer, RngKey::new(0));
        assert_eq!(layer.weight, [0.25; 7]);
        let tensors = <Scale<1> as Node<One>>::file_tensors(&LayerOrder::default());
        assert_eq!(tensors, [Tensor::new("weight", 0, vec![crate::types::Axis::plain(1, 1)])]);
        assert_eq!(<Scale<0> as Node<Fixed>>::file_tensors(&LayerOrder::default()), []);
    }
}
