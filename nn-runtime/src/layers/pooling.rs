//! [`Pooling`]: what the pools share.

use super::ragged::{Samples, for_each_length};
use crate::contract::Spec;
use crate::kernels::Isa;
use crate::kernels::pool::{self, Pool};
use crate::types::Steps;
use core::ops::Range;

/// A pool over sequences or images. A sequence that ends early is pooled as a shorter one; the output and the gradient
/// of the input are zero after its end.
#[derive(Clone, Copy)]
pub(super) struct Pooling<'a> {
    /// The sizes for full samples.
    pub(super) pool: &'a Pool,
    /// The valid steps of each sample.
    pub(super) steps: Steps<'a>,
}

/// Elements of some samples in a batch's inputs and outputs.
struct Ranges {
    x: Range<usize>,
    y: Range<usize>,
    y_after_end: Range<usize>,
}

impl Pooling<'_> {
    /// Calls `f` with samples of equal length, their pool and their ranges, for outputs of `len` elements in all.
    fn for_each_length<S: Spec>(self, len: usize, mut f: impl FnMut(&Samples, &Pool, Ranges)) {
        let full = S::INPUT.dim(0);
        for_each_length(self.steps, len / S::OUT, full, |samples| {
            let pool = match samples.steps {
                steps if steps == full => *self.pool,
                steps => self.pool.of_steps(steps, full),
            };
            let (x, y) = (pool.input_len(), pool.output_len());
            let ranges = Ranges {
                x: samples.valid(x, S::IN),
                y: samples.valid(y, S::OUT),
                y_after_end: samples.after_end(y, S::OUT),
            };
            f(&samples, &pool, ranges);
        });
    }

    /// The maximum under each window.
    pub(super) fn max<S: Spec>(self, x: &[f32], y: &mut [f32]) {
        self.for_each_length::<S>(y.len(), |_, pool, at| {
            y[at.y_after_end].fill(0.0);
            if !at.y.is_empty() {
                pool::max(Isa::best(), pool, &x[at.x], &mut y[at.y]);
            }
        });
    }

    /// The average under each window.
    pub(super) fn average<S: Spec>(self, include_padding: bool, x: &[f32], y: &mut [f32]) {
        self.for_each_length::<S>(y.len(), |_, pool, at| {
            y[at.y_after_end].fill(0.0);
            if !at.y.is_empty() {
                pool::average(pool, include_padding, &x[at.x], &mut y[at.y]);
            }
        });
    }
}

#[cfg(feature = "train")]
impl Pooling<'_> {
    /// The maximum under each window, and its position there in `winners`.
    pub(super) fn max_and_winners<S: Spec>(self, x: &[f32], y: &mut [f32], winners: &mut [f32]) {
        let saved = winners_per_sample::<S>(winners, y.len());
        self.for_each_length::<S>(y.len(), |samples, pool, at| {
            y[at.y_after_end].fill(0.0);
            if !at.y.is_empty() {
                let winners = &mut winners[samples.valid(saved, saved)];
                pool::max_and_winners(pool, &x[at.x], &mut y[at.y], winners);
            }
        });
    }

    /// The gradient of the input of [`Self::max_and_winners`].
    pub(super) fn max_backward<S: Spec>(self, winners: &[f32], d_y: &[f32], d_x: &mut [f32]) {
        let saved = winners_per_sample::<S>(winners, d_y.len());
        self.for_each_length::<S>(d_y.len(), |samples, pool, at| {
            d_x[samples.after_end(pool.input_len(), S::IN)].fill(0.0);
            if at.y.is_empty() {
                return d_x[at.x].fill(0.0);
            }
            let winners = &winners[samples.valid(saved, saved)];
            pool::max_backward(pool, winners, &d_y[at.y], &mut d_x[at.x]);
        });
    }

    /// The gradient of the input of [`Self::average`].
    pub(super) fn average_backward<S: Spec>(
        self,
        include_padding: bool,
        d_y: &[f32],
        d_x: &mut [f32],
    ) {
        self.for_each_length::<S>(d_y.len(), |samples, pool, at| {
            d_x[samples.after_end(pool.input_len(), S::IN)].fill(0.0);
            if at.y.is_empty() {
                return d_x[at.x].fill(0.0);
            }
            pool::average_backward(pool, include_padding, &d_y[at.y], &mut d_x[at.x]);
        });
    }
}

/// Elements of `winners` for each of the samples with `outputs` outputs in all.
#[cfg(feature = "train")]
const fn winners_per_sample<S: Spec>(winners: &[f32], outputs: usize) -> usize {
    winners.len() / (outputs / S::OUT)
}

/// Makes `$Name` a layer that takes the maximum under the window of `$pool`, an expression of the spec `$S`.
macro_rules! max_node {
    ($Name:ident, $Arguments:ty, $S:ident => $pool:expr) => {
        // SAFETY: a struct without fields contains nothing but `f32`s.
        unsafe impl $crate::types::Weights for $Name {}

        const _: () = {
            use $crate::contract::{Infer, Node, Spec};
            use $crate::layers::pooling::Pooling;

            impl<$S: Spec<Arguments = $Arguments>> Node<$S> for $Name {
                fn infer(&self, Infer { x, y, ctx, .. }: Infer<'_>) {
                    let steps = ctx.lengths.of::<$S>(0);
                    Pooling { pool: const { &$pool }, steps }.max::<$S>(x[0], y);
                }
            }

            #[cfg(feature = "train")]
            impl<$S: Spec<Arguments = $Arguments>> $crate::contract::TrainNode<$S> for $Name {
                /// The position of each maximum under its window.
                const SAVED: usize = $crate::kernels::pool::winners_len($pool.area(), $S::OUT);

                fn forward_shard(&self, call: $crate::contract::Forward<'_>) {
                    let steps = call.ctx.lengths.of::<$S>(0);
                    let pooling = Pooling { pool: const { &$pool }, steps };
                    pooling.max_and_winners::<$S>(call.x[0], call.y, call.ctx.saved);
                }

                fn backward_shard(&self, call: $crate::contract::Backward<'_, '_>) {
                    let Some(d_x) = &mut call.d_x[0] else { return };
                    let steps = call.ctx.lengths.of::<$S>(0);
                    let pooling = Pooling { pool: const { &$pool }, steps };
                    pooling.max_backward::<$S>(call.ctx.saved, call.d_y, d_x);
                }
            }
        };
    };
}

/// Makes `$Name` a layer that averages under the window of `$pool`, an expression of the spec `$S`; `$include_padding`
/// is another one: whether the zeros of the padding count.
macro_rules! average_node {
    ($Name:ident, $Arguments:ty, $S:ident => $pool:expr, $include_padding:expr) => {
        // SAFETY: a struct without fields contains nothing but `f32`s.
        unsafe impl $crate::types::Weights for $Name {}

        const _: () = {
            use $crate::contract::{Infer, Node, Spec};
            use $crate::layers::pooling::Pooling;

            impl<$S: Spec<Arguments = $Arguments>> Node<$S> for $Name {
                fn infer(&self, Infer { x, y, ctx, .. }: Infer<'_>) {
                    let steps = ctx.lengths.of::<$S>(0);
                    let pooling = Pooling { pool: const { &$pool }, steps };
                    pooling.average::<$S>($include_padding, x[0], y);
                }
            }

            #[cfg(feature = "train")]
            impl<$S: Spec<Arguments = $Arguments>> $crate::contract::TrainNode<$S> for $Name {
                fn forward_shard(&self, call: $crate::contract::Forward<'_>) {
                    let steps = call.ctx.lengths.of::<$S>(0);
                    let pooling = Pooling { pool: const { &$pool }, steps };
                    pooling.average::<$S>($include_padding, call.x[0], call.y);
                }

                fn backward_shard(&self, call: $crate::contract::Backward<'_, '_>) {
                    let Some(d_x) = &mut call.d_x[0] else { return };
                    let steps = call.ctx.lengths.of::<$S>(0);
                    let pooling = Pooling { pool: const { &$pool }, steps };
                    pooling.average_backward::<$S>($include_padding, call.d_y, d_x);
                }
            }
        };
    };
}

pub(super) use {average_node, max_node};
