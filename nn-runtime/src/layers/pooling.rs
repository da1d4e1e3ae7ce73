//! What the pools share: from the sizes of a pool to a node.
//!
//! Where sequences end before their shape does, each is pooled as a shorter one; behind the end of the
//! output, and of the input's gradient, are zeros.

use super::ragged::{Run, for_each_run};
use crate::contract::Spec;
use crate::kernels::Isa;
use crate::kernels::pool::{self, Pool};
use crate::types::Steps;
use core::ops::Range;

/// Where a run of samples stands in inputs and outputs, and what lies behind its ends.
struct Places {
    x: Range<usize>,
    x_behind: Range<usize>,
    y: Range<usize>,
    y_behind: Range<usize>,
}

/// Calls `f` with runs of samples, the pool of these, and where they stand, for outputs of `len` numbers.
fn for_each_pool<S: Spec>(
    pool: &Pool,
    steps: Steps<'_>,
    len: usize,
    mut f: impl FnMut(&Run, &Pool, Places),
) {
    let full = S::INPUT.dim(0);
    for_each_run(steps, len / S::OUT, full, |run| {
        let pool = if run.valid == full { *pool } else { pool.of_steps(run.valid, full) };
        let (x, y) = (pool.input_len(), pool.output_len());
        let places = Places {
            x: run.valid(x, S::IN),
            x_behind: run.behind(x, S::IN),
            y: run.valid(y, S::OUT),
            y_behind: run.behind(y, S::OUT),
        };
        f(&run, &pool, places);
    });
}

/// The largest under each window.
pub(super) fn max<S: Spec>(pool: &Pool, steps: Steps<'_>, x: &[f32], y: &mut [f32]) {
    for_each_pool::<S>(pool, steps, y.len(), |_, pool, at| {
        y[at.y_behind].fill(0.0);
        if !at.y.is_empty() {
            pool::max(Isa::best(), pool, &x[at.x], &mut y[at.y]);
        }
    });
}

/// The largest under each window, and where it stood: `saved` numbers for each sample.
pub(super) fn max_and_winners<S: Spec>(
    pool: &Pool,
    steps: Steps<'_>,
    x: &[f32],
    y: &mut [f32],
    winners: &mut [f32],
    saved: usize,
) {
    for_each_pool::<S>(pool, steps, y.len(), |run, pool, at| {
        y[at.y_behind].fill(0.0);
        if !at.y.is_empty() {
            let winners = &mut winners[run.valid(saved, saved)];
            pool::max_and_winners(pool, &x[at.x], &mut y[at.y], winners);
        }
    });
}

/// The gradient of the input of [`max_and_winners`].
pub(super) fn max_backward<S: Spec>(
    pool: &Pool,
    steps: Steps<'_>,
    winners: &[f32],
    d_y: &[f32],
    d_x: &mut [f32],
    saved: usize,
) {
    for_each_pool::<S>(pool, steps, d_y.len(), |run, pool, at| {
        d_x[at.x_behind].fill(0.0);
        if at.y.is_empty() {
            return d_x[at.x].fill(0.0);
        }
        let winners = &winners[run.valid(saved, saved)];
        pool::max_backward(pool, winners, &d_y[at.y], &mut d_x[at.x]);
    });
}

/// The average under each window.
pub(super) fn average<S: Spec>(
    pool: &Pool,
    include_padding: bool,
    steps: Steps<'_>,
    x: &[f32],
    y: &mut [f32],
) {
    for_each_pool::<S>(pool, steps, y.len(), |_, pool, at| {
        y[at.y_behind].fill(0.0);
        if !at.y.is_empty() {
            pool::average(pool, include_padding, &x[at.x], &mut y[at.y]);
        }
    });
}

/// The gradient of the input of [`average`].
pub(super) fn average_backward<S: Spec>(
    pool: &Pool,
    include_padding: bool,
    steps: Steps<'_>,
    d_y: &[f32],
    d_x: &mut [f32],
) {
    for_each_pool::<S>(pool, steps, d_y.len(), |_, pool, at| {
        d_x[at.x_behind].fill(0.0);
        if at.y.is_empty() {
            return d_x[at.x].fill(0.0);
        }
        pool::average_backward(pool, include_padding, &d_y[at.y], &mut d_x[at.x]);
    });
}

/// Makes `$Name` a node that takes the largest under the window of `$pool`, an expression of the
/// spec `$S`.
macro_rules! max_node {
    ($Name:ident, $Arguments:ty, $S:ident => $pool:expr) => {
        // SAFETY: of size zero.
        unsafe impl $crate::types::Weights for $Name {}

        impl<$S: $crate::contract::Spec<Arguments = $Arguments>> $crate::contract::Node<$S>
            for $Name
        {
            fn infer(
                &self,
                $crate::contract::Infer { x, y, ctx, .. }: $crate::contract::Infer<'_>,
            ) {
                let steps = ctx.lengths.of::<S>(0);
                $crate::layers::pooling::max::<S>(const { &$pool }, steps, x[0], y);
            }
        }

        #[cfg(feature = "train")]
        impl<$S: $crate::contract::Spec<Arguments = $Arguments>> $crate::contract::TrainNode<$S>
            for $Name
        {
            /// Which element of the kernel won.
            const SAVED: usize = $crate::kernels::pool::winners_len($pool.area(), S::OUT);

            fn forward(
                &self,
                $crate::contract::Forward { x, y, ctx, .. }: $crate::contract::Forward<'_>,
            ) {
                let (steps, winners) = (ctx.lengths.of::<S>(0), ctx.saved);
                let saved = <Self as $crate::contract::TrainNode<S>>::SAVED;
                $crate::layers::pooling::max_and_winners::<S>(
                    const { &$pool },
                    steps,
                    x[0],
                    y,
                    winners,
                    saved,
                );
            }

            fn backward(
                &self,
                $crate::contract::Backward { d_y, d_x, ctx, .. }: $crate::contract::Backward<
                    '_,
                    '_,
                >,
            ) {
                if let Some(d_x) = &mut d_x[0] {
                    let (steps, winners) = (ctx.lengths.of::<S>(0), ctx.saved);
                    let saved = <Self as $crate::contract::TrainNode<S>>::SAVED;
                    $crate::layers::pooling::max_backward::<S>(
                        const { &$pool },
                        steps,
                        winners,
                        d_y,
                        d_x,
                        saved,
                    );
                }
            }
        }
    };
}

/// Makes `$Name` a node that averages under the window of `$pool`, an expression of the spec `$S`.
macro_rules! average_node {
    ($Name:ident, $Arguments:ty, $S:ident => $pool:expr, $include_padding:expr) => {
        // SAFETY: of size zero.
        unsafe impl $crate::types::Weights for $Name {}

        impl<$S: $crate::contract::Spec<Arguments = $Arguments>> $crate::contract::Node<$S>
            for $Name
        {
            fn infer(
                &self,
                $crate::contract::Infer { x, y, ctx, .. }: $crate::contract::Infer<'_>,
            ) {
                let steps = ctx.lengths.of::<S>(0);
                $crate::layers::pooling::average::<S>(
                    const { &$pool },
                    $include_padding,
                    steps,
                    x[0],
                    y,
                );
            }
        }

        #[cfg(feature = "train")]
        impl<$S: $crate::contract::Spec<Arguments = $Arguments>> $crate::contract::TrainNode<$S>
            for $Name
        {
            fn forward(
                &self,
                $crate::contract::Forward { x, y, ctx, .. }: $crate::contract::Forward<'_>,
            ) {
                let steps = ctx.lengths.of::<S>(0);
                $crate::layers::pooling::average::<S>(
                    const { &$pool },
                    $include_padding,
                    steps,
                    x[0],
                    y,
                );
            }

            fn backward(
                &self,
                $crate::contract::Backward { d_y, d_x, ctx, .. }: $crate::contract::Backward<
                    '_,
                    '_,
                >,
            ) {
                if let Some(d_x) = &mut d_x[0] {
                    let steps = ctx.lengths.of::<S>(0);
                    $crate::layers::pooling::average_backward::<S>(
                        const { &$pool },
                        $include_padding,
                        steps,
                        d_y,
                        d_x,
                    );
                }
            }
        }
    };
}

pub(super) use {average_node, max_node};
