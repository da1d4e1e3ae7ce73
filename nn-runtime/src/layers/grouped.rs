//! [`Grouped`]: what [`GroupNorm`](super::GroupNorm) and [`InstanceNorm`](super::InstanceNorm) share.

#[cfg(feature = "train")]
use crate::contract::{Backward, Forward};
use crate::contract::{Infer, Spec};
use crate::kernels::group_norm::{GroupNorm, GroupNormBackward, GroupNormForward};
#[cfg(feature = "train")]
use crate::memory::TrainCtx;
use crate::types::Lengths;

/// A normalisation of groups of channels, sample by sample. After the end of a sequence it reads nothing and writes
/// zeros.
pub(super) struct Grouped<'a> {
    /// The sizes.
    pub(super) norm: GroupNorm,
    /// One for each channel, or none.
    pub(super) weight: &'a [f32],
    /// One for each channel, or none.
    pub(super) bias: &'a [f32],
}

impl Grouped<'_> {
    /// Elements that inference needs per call: what training saves of one sample, and what the kernel needs.
    pub(super) const fn scratch_len(norm: &GroupNorm) -> usize {
        norm.scratch_len() + norm.saved_len()
    }

    /// Inference.
    pub(super) fn infer<S: Spec>(&self, Infer { x, y, ctx, .. }: Infer<'_>) {
        let (saved, scratch) = ctx.scratch.split_at_mut(self.norm.saved_len());
        let samples = x[0].chunks_exact(S::IN).zip(y.chunks_exact_mut(S::IN));
        for (i, (x, y)) in samples.enumerate() {
            self.forward_sample(&x[..valid_len::<S>(&ctx.lengths, i)], y, saved, scratch);
        }
    }

    /// The forward pass of one shard.
    #[cfg(feature = "train")]
    pub(super) fn forward<S: Spec>(&self, Forward { x, y, ctx, .. }: Forward<'_>) {
        let samples = x[0].chunks_exact(S::IN).zip(y.chunks_exact_mut(S::IN));
        let samples = samples.zip(ctx.saved.chunks_exact_mut(self.norm.saved_len()));
        for (i, ((x, y), saved)) in samples.enumerate() {
            self.forward_sample(&x[..valid_len::<S>(&ctx.lengths, i)], y, saved, ctx.scratch);
        }
    }

    /// One sample, of which `x` are the valid elements.
    fn forward_sample(&self, x: &[f32], y: &mut [f32], saved: &mut [f32], scratch: &mut [f32]) {
        let (y, after_end) = y.split_at_mut(x.len());
        after_end.fill(0.0);
        if !x.is_empty() {
            let (weight, bias) = (self.weight, self.bias);
            self.norm.forward(GroupNormForward { x, weight, bias, y, saved, scratch });
        }
    }

    /// The backward pass of one shard, which sums the gradients of weight and bias.
    #[cfg(feature = "train")]
    pub(super) fn backward<S: Spec>(&self, Backward { x, d_y, d_x, ctx, .. }: Backward<'_, '_>) {
        let TrainCtx { saved, shard_sums, scratch, lengths, .. } = ctx;
        let (norm, weight, mut d_x) = (&self.norm, self.weight, d_x[0].as_deref_mut());
        shard_sums.fill(0.0);
        let (d_weight, d_bias) = shard_sums.split_at_mut(weight.len());
        let samples = x[0].chunks_exact(S::IN).zip(d_y.chunks_exact(S::IN));
        let samples = samples.zip(saved.chunks_exact(norm.saved_len()));
        for (i, ((x, d_y), saved)) in samples.enumerate() {
            let valid = valid_len::<S>(&lengths, i);
            let d_x = d_x.as_mut().map(|d_x| {
                let (d_x, after_end) = d_x[i * S::IN..(i + 1) * S::IN].split_at_mut(valid);
                after_end.fill(0.0);
                d_x
            });
            if valid > 0 {
                let (x, d_y) = (&x[..valid], &d_y[..valid]);
                let (d_weight, d_bias) = (&mut *d_weight, &mut *d_bias);
                norm.backward(GroupNormBackward {
                    x,
                    weight,
                    saved,
                    d_y,
                    d_x,
                    d_weight,
                    d_bias,
                    scratch: &mut *scratch,
                });
            }
        }
    }
}

/// Elements of sample `i` before its end.
fn valid_len<S: Spec>(lengths: &Lengths<'_>, i: usize) -> usize {
    if S::INPUT.rank() < 2 {
        return S::IN;
    }
    let steps = S::INPUT.dim(0);
    lengths.of::<S>(0).valid(i, steps) * (S::IN / steps)
}

/// Makes `$Name<AFFINE>`, with the fields `weight` and `bias`, a layer that normalises `$groups` groups of channels, an
/// expression of the spec `$S`.
macro_rules! grouped_node {
    ($Name:ident, $Arguments:ty, $S:ident => $groups:expr) => {
        // SAFETY: `repr(C)`, arrays of `f32` only.
        unsafe impl<const AFFINE: usize> $crate::types::Weights for $Name<AFFINE> {}

        const _: () = {
            use $crate::contract::{Infer, Node, Spec};
            use $crate::layers::grouped::Grouped;

            // Not imported: `GroupNorm` is also the name of a layer.
            type Norm = $crate::kernels::group_norm::GroupNorm;

            const fn norm<$S: Spec<Arguments = $Arguments>>() -> Norm {
                Norm {
                    channels: $S::INPUT.last(),
                    groups: $groups,
                    eps: $S::ARGUMENTS.eps,
                    centred: true,
                }
            }

            impl<const AFFINE: usize> $Name<AFFINE> {
                fn grouped<$S: Spec<Arguments = $Arguments>>(&self) -> Grouped<'_> {
                    Grouped { norm: const { norm::<$S>() }, weight: &self.weight, bias: &self.bias }
                }
            }

            impl<$S: Spec<Arguments = $Arguments>, const AFFINE: usize> Node<$S> for $Name<AFFINE> {
                const SCRATCH: usize = Grouped::scratch_len(&norm::<$S>());

                #[cfg(feature = "std")]
                fn file_tensors(order: &$crate::types::LayerOrder) -> Vec<$crate::types::Tensor> {
                    $crate::types::layer_tensors(order, &|sink| {
                        $S::ARGUMENTS.tensors($S::INPUTS, sink)
                    })
                }

                fn infer(&self, call: Infer<'_>) {
                    self.grouped::<$S>().infer::<$S>(call);
                }
            }

            #[cfg(feature = "train")]
            impl<$S: Spec<Arguments = $Arguments>, const AFFINE: usize>
                $crate::contract::TrainNode<$S> for $Name<AFFINE>
            {
                /// Mean and inverse standard deviation of each group.
                const SAVED: usize = norm::<$S>().saved_len();
                /// The gradient of the weights.
                const SHARD_SUMS: usize = 2 * AFFINE;
                const TRAIN_SCRATCH: usize = norm::<$S>().scratch_len();

                fn initialise(&mut self, _key: $crate::system::RngKey) {
                    self.weight.fill(1.0);
                }

                fn forward_shard(&self, call: $crate::contract::Forward<'_>) {
                    self.grouped::<$S>().forward::<$S>(call);
                }

                fn backward_shard(&self, call: $crate::contract::Backward<'_, '_>) {
                    self.grouped::<$S>().backward::<$S>(call);
                }
            }
        };
    };
}

pub(super) use grouped_node;
