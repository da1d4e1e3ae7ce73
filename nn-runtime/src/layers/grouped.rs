//! What the normalisations of groups of channels share: from their sizes to the functions of a node.

use crate::contract::Spec;
use crate::kernels::group_norm::GroupNorm;
use crate::memory::InferCtx;
#[cfg(feature = "train")]
use crate::memory::TrainCtx;
use crate::types::Lengths;
#[cfg(feature = "std")]
use crate::types::{Axis, Tensor};
use core::marker::PhantomData;

/// A normalisation at one place of a network, with a weight and a bias for each channel, or without.
/// Behind the end of a sequence it reads nothing and writes zeros.
pub(super) struct Grouped<S>(PhantomData<S>);

impl<S: Spec> Grouped<S> {
    /// Numbers that are needed while a function runs.
    pub(super) const fn scratch(norm: &GroupNorm) -> usize {
        norm.scratch_len() + norm.saved_len()
    }

    /// How many numbers of a sample there are before its end.
    fn valid(lengths: &Lengths<'_>, sample: usize) -> usize {
        if S::INPUT.rank() < 2 {
            return S::IN;
        }
        let steps = S::INPUT.dim(0);
        lengths.of::<S>(0).valid(sample, steps) * (S::IN / steps)
    }

    pub(super) fn infer(
        norm: GroupNorm,
        weight: &[f32],
        bias: &[f32],
        x: &[f32],
        y: &mut [f32],
        ctx: InferCtx<'_>,
    ) {
        let (saved, scratch) = ctx.scratch.split_at_mut(norm.saved_len());
        for (i, (x, y)) in x.chunks_exact(S::IN).zip(y.chunks_exact_mut(S::IN)).enumerate() {
            let valid = Self::valid(&ctx.lengths, i);
            Self::sample(norm, [weight, bias], &x[..valid], y, saved, scratch);
        }
    }

    #[cfg(feature = "train")]
    pub(super) fn forward(
        norm: GroupNorm,
        weight: &[f32],
        bias: &[f32],
        x: &[f32],
        y: &mut [f32],
        ctx: TrainCtx<'_>,
    ) {
        let samples = x.chunks_exact(S::IN).zip(y.chunks_exact_mut(S::IN));
        let samples = samples.zip(ctx.saved.chunks_exact_mut(norm.saved_len()));
        for (i, ((x, y), saved)) in samples.enumerate() {
            let valid = Self::valid(&ctx.lengths, i);
            Self::sample(norm, [weight, bias], &x[..valid], y, saved, ctx.scratch);
        }
    }

    fn sample(
        norm: GroupNorm,
        [weight, bias]: [&[f32]; 2],
        x: &[f32],
        y: &mut [f32],
        saved: &mut [f32],
        scratch: &mut [f32],
    ) {
        let (y, behind) = y.split_at_mut(x.len());
        behind.fill(0.0);
        if !x.is_empty() {
            norm.forward(x, weight, bias, y, saved, scratch);
        }
    }

    #[cfg(feature = "train")]
    pub(super) fn backward(
        norm: GroupNorm,
        weight: &[f32],
        x: &[f32],
        d_y: &[f32],
        mut d_x: Option<&mut [f32]>,
        ctx: TrainCtx<'_>,
    ) {
        let TrainCtx { saved, shard_sums, scratch, lengths, .. } = ctx;
        shard_sums.fill(0.0);
        let (d_weight, d_bias) = shard_sums.split_at_mut(weight.len());
        let samples = x.chunks_exact(S::IN).zip(d_y.chunks_exact(S::IN));
        for (i, ((x, d_y), saved)) in samples.zip(saved.chunks_exact(norm.saved_len())).enumerate()
        {
            let valid = Self::valid(&lengths, i);
            let d_x = d_x.as_mut().map(|d_x| {
                let (d_x, behind) = d_x[i * S::IN..(i + 1) * S::IN].split_at_mut(valid);
                behind.fill(0.0);
                d_x
            });
            if valid > 0 {
                let (x, d_y) = (&x[..valid], &d_y[..valid]);
                norm.backward(x, weight, saved, d_y, d_x, d_weight, d_bias, scratch);
            }
        }
    }
}

/// The tensors of a layer with a weight and a bias for each of so many channels.
#[cfg(feature = "std")]
pub(super) fn tensors(channels: usize) -> Vec<Tensor> {
    let tensor = |name, offset| Tensor::new(name, offset, vec![Axis::plain(channels, 1)]);
    if channels == 0 { Vec::new() } else { vec![tensor("weight", 0), tensor("bias", channels)] }
}

/// Makes `$Name<AFFINE>` a node that normalises groups of channels, as many as `$groups` says, an
/// expression of the spec `$S`.
macro_rules! grouped_node {
    ($Name:ident, $Arguments:ty, $S:ident => $groups:expr) => {
        // SAFETY: `repr(C)`, arrays of `f32` alone.
        unsafe impl<const AFFINE: usize> $crate::types::Weights for $Name<AFFINE> {}

        impl<$S: $crate::contract::Spec<Arguments = $Arguments>, const AFFINE: usize>
            $crate::contract::Node<$S> for $Name<AFFINE>
        {
            const SCRATCH: usize = Grouped::<$S>::scratch(&norm::<$S>());

            #[cfg(feature = "std")]
            fn tensors() -> Vec<$crate::types::Tensor> {
                $crate::layers::grouped::tensors(AFFINE)
            }

            fn infer(
                &self,
                $crate::contract::Infer { x, y, ctx, .. }: $crate::contract::Infer<'_>,
            ) {
                let norm = const { norm::<$S>() };
                Grouped::<$S>::infer(norm, &self.weight, &self.bias, x[0], y, ctx);
            }
        }

        #[cfg(feature = "train")]
        impl<$S: $crate::contract::Spec<Arguments = $Arguments>, const AFFINE: usize>
            $crate::contract::TrainNode<$S> for $Name<AFFINE>
        {
            const SAVED: usize = norm::<$S>().saved_len();
            /// The gradient of the weights.
            const SHARD_SUMS: usize = 2 * AFFINE;

            fn initialise(&mut self, _key: $crate::system::RngKey) {
                self.weight.fill(1.0);
            }

            fn forward(
                &self,
                $crate::contract::Forward { x, y, ctx, .. }: $crate::contract::Forward<'_>,
            ) {
                let norm = const { norm::<$S>() };
                Grouped::<$S>::forward(norm, &self.weight, &self.bias, x[0], y, ctx);
            }

            fn backward(
                &self,
                $crate::contract::Backward { x, d_y, d_x, ctx, .. }: $crate::contract::Backward<
                    '_,
                    '_,
                >,
            ) {
                let (norm, d_x) = (const { norm::<$S>() }, d_x[0].as_deref_mut());
                Grouped::<$S>::backward(norm, &self.weight, x[0], d_y, d_x, ctx);
            }
        }

        /// What is done to each sample.
        const fn norm<$S: $crate::contract::Spec<Arguments = $Arguments>>()
        -> $crate::kernels::group_norm::GroupNorm {
            $crate::kernels::group_norm::GroupNorm {
                channels: S::INPUT.last(),
                groups: $groups,
                eps: S::ARGUMENTS.eps,
            }
        }
    };
}

pub(super) use grouped_node;
