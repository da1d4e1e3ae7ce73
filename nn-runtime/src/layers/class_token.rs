//! [`ClassToken`]: the trained first step of vision transformers.

#[cfg(feature = "train")]
use crate::contract::{Backward, Forward, TrainNode};
use crate::contract::{Infer, Node, Spec};
#[cfg(feature = "train")]
use crate::kernels::add_to;
#[cfg(feature = "train")]
use crate::system::RngKey;
use crate::types::Weights;
#[cfg(feature = "std")]
use crate::types::{LayerOrder, Tensor, layer_tensors};
use unrolled_shape::rules::class_token;

/// A trained step before the first one: `[T, C] -> [T + 1, C]` (Dosovitskiy et al., 2021).
#[derive(Clone, Debug, PartialEq)]
#[repr(C)]
pub struct ClassToken<const C: usize> {
    /// The step.
    pub token: [f32; C],
}

// SAFETY: `repr(C)`, an array of `f32`.
unsafe impl<const C: usize> Weights for ClassToken<C> {}

impl<S: Spec<Arguments = class_token::ClassToken>, const C: usize> Node<S> for ClassToken<C> {
    /// As an `nn.Parameter` of the module around it, it has the name of the line alone.
    #[cfg(feature = "std")]
    fn file_tensors(order: &LayerOrder) -> Vec<Tensor> {
        layer_tensors(order, &|sink| S::ARGUMENTS.tensors(S::INPUTS, sink))
    }

    fn infer(&self, Infer { x, y, .. }: Infer<'_>) {
        self.forward::<S>(x[0], y);
    }
}

#[cfg(feature = "train")]
impl<S: Spec<Arguments = class_token::ClassToken>, const C: usize> TrainNode<S> for ClassToken<C> {
    /// The gradient of the token: the sum of the first steps' gradients over the samples.
    const SHARD_SUMS: usize = C;

    /// Zeros, as in torchvision's vision transformers.
    fn initialise(&mut self, _key: RngKey) {
        self.token.fill(0.0);
    }

    fn forward_shard(&self, Forward { x, y, .. }: Forward<'_>) {
        self.forward::<S>(x[0], y);
    }

    fn backward_shard(&self, Backward { pass, d_y, d_x, ctx, .. }: Backward<'_, '_>) {
        if pass.trains_weights() {
            ctx.shard_sums.fill(0.0);
            d_y.chunks_exact(S::OUT).for_each(|d_y| add_to(ctx.shard_sums, &d_y[..C]));
        }
        if let Some(d_x) = &mut d_x[0] {
            for (d_x, d_y) in d_x.chunks_exact_mut(S::IN).zip(d_y.chunks_exact(S::OUT)) {
                d_x.copy_from_slice(&d_y[C..]);
            }
        }
    }
}

impl<const C: usize> ClassToken<C> {
    fn forward<S: Spec>(&self, x: &[f32], y: &mut [f32]) {
        for (x, y) in x.chunks_exact(S::IN).zip(y.chunks_exact_mut(S::OUT)) {
            let (first, rest) = y.split_at_mut(C);
            first.copy_from_slice(&self.token);
            rest.copy_from_slice(x);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::testing::{Trial, spec};

    spec!(Steps: class_token::ClassToken {}, [&[4, 3]] -> &[5, 3]);

    #[test]
    fn agrees_with_finite_differences() {
        Trial::<Steps, ClassToken<3>>::random().check_gradients();
    }

    #[test]
    fn is_the_first_step() {
        let mut trial = Trial::<Steps, ClassToken<3>>::random();
        trial.check_inference();
        let y = trial.infer();
        assert_eq!(y[15..18], trial.node.token);
        assert_eq!(y[18..30], trial.x[0][12..24]);
    }
}
