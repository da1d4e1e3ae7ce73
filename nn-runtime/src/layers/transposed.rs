//! What transposed convolutions share. `C` is the adjoint: the convolution from their output to their input.

use super::convolution::Convolution;
#[cfg(feature = "train")]
use super::train_convolution::TrainConvolution;
#[cfg(feature = "train")]
use crate::contract::Backward;
use crate::kernels::dispatch::dispatch;
use crate::kernels::{self, Isa};
#[cfg(feature = "train")]
use crate::kernels::{Accumulate, RowBlocks};
#[cfg(feature = "train")]
use crate::memory::TrainCtx;

/// Elements of the flipped and transposed weights.
pub(super) const fn flipped_len<C: Convolution>() -> usize {
    C::GEOMETRY.weight_len()
}

/// The forward pass; `scratch` has [`flipped_len`] elements.
pub(super) fn flip_and_spread<C: Convolution>(
    weight: &[f32],
    bias: &[f32],
    scratch: &mut [f32],
    x: &[f32],
    y: &mut [f32],
) {
    let flipped = &mut scratch[..flipped_len::<C>()];
    kernels::conv2d_flip(Isa::best(), const { &C::GEOMETRY }, weight, flipped);
    spread::<C>(flipped, bias, x, y);
}

/// The forward pass, with weights as [`kernels::conv2d_flip`] writes them.
pub(super) fn spread<C: Convolution>(flipped: &[f32], bias: &[f32], x: &[f32], y: &mut [f32]) {
    kernels::conv2d_d_x(Isa::best(), const { &C::GEOMETRY }, x, flipped, y);
    add_bias(bias, y);
}

/// The backward pass.
#[cfg(feature = "train")]
pub(super) fn gather<C: TrainConvolution>(weight: &[f32], call: Backward<'_, '_>) {
    let Backward { pass, x, d_y, d_x, ctx, .. } = call;
    if pass.trains_weights() {
        weight_gradient::<C>(x[0], d_y, ctx);
    }
    if let Some(d_x) = d_x[0].as_deref_mut() {
        let (x, bias, y) = (d_y, &[], d_x);
        kernels::conv2d(
            Isa::best(),
            const { &C::GEOMETRY },
            kernels::ConvArgs { x, weight, bias, y },
        );
    }
}

/// The gradient of the weights of one shard: its sums, or the deferred values that it is computed from.
#[cfg(feature = "train")]
fn weight_gradient<C: TrainConvolution>(x: &[f32], d_y: &[f32], ctx: TrainCtx<'_>) {
    let (isa, g, onto) = (Isa::best(), const { C::GEOMETRY }, Accumulate::Overwrite);
    let TrainCtx { scratch, shard_sums, deferred, .. } = ctx;
    if C::FEW_WEIGHTS {
        let (d_weight, d_bias) = shard_sums.split_at_mut(g.weight_len());
        kernels::conv2d_d_weight(
            isa,
            &g,
            kernels::ConvDWeightArgs {
                part: None,
                accumulate: onto,
                x: d_y,
                d_y: x,
                d_weight,
                scratch,
            },
        );
        kernels::d_bias(isa, onto, RowBlocks::one(d_y.len() / g.channels), d_y, d_bias);
    } else {
        let samples = x.len() / g.output_len();
        let (deferred_d_y, deferred_x) = deferred.split_at_mut(samples * g.input_len());
        deferred_d_y.copy_from_slice(d_y);
        deferred_x.copy_from_slice(x);
    }
}

dispatch! {
    /// Adds the bias, if any, to each pixel.
    fn add_bias(bias: &[f32], y: &mut [f32]) {
        if bias.is_empty() {
            return;
        }
        for y in y.chunks_exact_mut(bias.len()) {
            for (y, b) in y.iter_mut().zip(bias) {
                *y += b;
            }
        }
    }
}
