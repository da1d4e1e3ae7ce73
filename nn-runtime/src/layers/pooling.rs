//! [`Pooling`]: what the pools share.

use super::ragged::{Samples, runs};
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
    pool: &'a Pool,
    /// The valid steps of each sample.
    steps: Steps<'a>,
    /// Steps of a full sample: the length of its first axis.
    full: usize,
}

/// Some samples of equal length, the pool of one, and the ranges of their elements in a batch.
struct Run {
    samples: Samples,
    pool: Pool,
    x: Range<usize>,
    y: Range<usize>,
    x_after_end: Range<usize>,
    y_after_end: Range<usize>,
}

impl<'a> Pooling<'a> {
    /// The pool of the layer with the spec `S`.
    pub(super) const fn of<S: Spec>(pool: &'a Pool, steps: Steps<'a>) -> Self {
        Self { pool, steps, full: S::INPUT.dim(0) }
    }

    /// Runs of samples of equal length, for outputs of `len` elements in all.
    fn runs(self, len: usize) -> impl Iterator<Item = Run> {
        let (inputs, outputs) = (self.pool.input_len(), self.pool.output_len());
        runs(self.steps, len / outputs, self.full).map(move |samples| {
            let pool = match samples.steps {
                steps if steps == self.full => *self.pool,
                steps => self.pool.of_steps(steps, self.full),
            };
            let (x, y) = (pool.input_len(), pool.output_len());
            Run {
                x: samples.valid(x, inputs),
                y: samples.valid(y, outputs),
                x_after_end: samples.after_end(x, inputs),
                y_after_end: samples.after_end(y, outputs),
                pool,
                samples,
            }
        })
    }

    /// The maximum under each window.
    pub(super) fn max(self, x: &[f32], y: &mut [f32]) {
        for run in self.runs(y.len()) {
            y[run.y_after_end].fill(0.0);
            if !run.y.is_empty() {
                pool::max(Isa::best(), &run.pool, &x[run.x], &mut y[run.y]);
            }
        }
    }

    /// The average under each window.
    pub(super) fn average(self, include_padding: bool, x: &[f32], y: &mut [f32]) {
        for run in self.runs(y.len()) {
            y[run.y_after_end].fill(0.0);
            if !run.y.is_empty() {
                pool::average(&run.pool, include_padding, &x[run.x], &mut y[run.y]);
            }
        }
    }
}

#[cfg(feature = "train")]
impl Pooling<'_> {
    /// The maximum under each window, and its position there in `winners`.
    pub(super) fn max_and_winners(self, x: &[f32], y: &mut [f32], winners: &mut [f32]) {
        let saved = self.winners_per_sample(winners, y.len());
        for run in self.runs(y.len()) {
            y[run.y_after_end].fill(0.0);
            if !run.y.is_empty() {
                let winners = &mut winners[run.samples.valid(saved, saved)];
                pool::max_and_winners(&run.pool, &x[run.x], &mut y[run.y], winners);
            }
        }
    }

    /// The gradient of the input of [`Self::max_and_winners`].
    pub(super) fn max_backward(self, winners: &[f32], d_y: &[f32], d_x: &mut [f32]) {
        let saved = self.winners_per_sample(winners, d_y.len());
        for run in self.runs(d_y.len()) {
            d_x[run.x_after_end].fill(0.0);
            if run.y.is_empty() {
                d_x[run.x].fill(0.0);
            } else {
                let winners = &winners[run.samples.valid(saved, saved)];
                pool::max_backward(&run.pool, winners, &d_y[run.y], &mut d_x[run.x]);
            }
        }
    }

    /// The gradient of the input of [`Self::average`].
    pub(super) fn average_backward(self, include_padding: bool, d_y: &[f32], d_x: &mut [f32]) {
        for run in self.runs(d_y.len()) {
            d_x[run.x_after_end].fill(0.0);
            if run.y.is_empty() {
                d_x[run.x].fill(0.0);
            } else {
                pool::average_backward(&run.pool, include_padding, &d_y[run.y], &mut d_x[run.x]);
            }
        }
    }

    /// Elements of `winners` for each of the samples with `outputs` outputs in all.
    const fn winners_per_sample(self, winners: &[f32], outputs: usize) -> usize {
        winners.len() / (outputs / self.pool.output_len())
    }
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
                    Pooling::of::<$S>(const { &$pool }, ctx.lengths.of::<$S>(0)).max(x[0], y);
                }
            }

            #[cfg(feature = "train")]
            impl<$S: Spec<Arguments = $Arguments>> $crate::contract::TrainNode<$S> for $Name {
                /// The position of each maximum under its window.
                const SAVED: usize = $crate::kernels::pool::winners_len($pool.area(), $S::OUT);

                fn forward_shard(&self, call: $crate::contract::Forward<'_>) {
                    let steps = call.ctx.lengths.of::<$S>(0);
                    let pooling = Pooling::of::<$S>(const { &$pool }, steps);
                    pooling.max_and_winners(call.x[0], call.y, call.ctx.saved);
                }

                fn backward_shard(&self, call: $crate::contract::Backward<'_, '_>) {
                    let Some(d_x) = &mut call.d_x[0] else { return };
                    let steps = call.ctx.lengths.of::<$S>(0);
                    let pooling = Pooling::of::<$S>(const { &$pool }, steps);
                    pooling.max_backward(call.ctx.saved, call.d_y, d_x);
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
                    Pooling::of::<$S>(const { &$pool }, steps).average($include_padding, x[0], y);
                }
            }

            #[cfg(feature = "train")]
            impl<$S: Spec<Arguments = $Arguments>> $crate::contract::TrainNode<$S> for $Name {
                fn forward_shard(&self, call: $crate::contract::Forward<'_>) {
                    let steps = call.ctx.lengths.of::<$S>(0);
                    let pooling = Pooling::of::<$S>(const { &$pool }, steps);
                    pooling.average($include_padding, call.x[0], call.y);
                }

                fn backward_shard(&self, call: $crate::contract::Backward<'_, '_>) {
                    let Some(d_x) = &mut call.d_x[0] else { return };
                    let steps = call.ctx.lengths.of::<$S>(0);
                    let pooling = Pooling::of::<$S>(const { &$pool }, steps);
                    pooling.average_backward($include_padding, call.d_y, d_x);
                }
            }
        };
    };
}

pub(super) use {average_node, max_node};
