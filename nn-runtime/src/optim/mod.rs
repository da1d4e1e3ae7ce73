//! Optimisers: how weights follow from gradients. Update rules and defaults are PyTorch's.
//!
//! An update is one pass over flat slices, cut into pieces that several threads take; what a piece
//! becomes does not depend on who takes it.

mod adagrad;
mod adam;
mod adaptive;
mod clip;
mod rmsprop;
pub mod schedule;
mod sgd;

pub use adagrad::Adagrad;
pub use adam::{Adam, AdamLike, AdamW};
pub use adaptive::AdaptiveClip;
pub use clip::{Clip, clip_norm, clip_value};
pub(crate) use clip::{Clipper, norm};
pub use rmsprop::RMSprop;
pub use sgd::SGD;

use crate::kernels::stream::store_past_caches;
use crate::system::parallel;
use std::ops::Range;

/// A rule that moves weights against their gradient.
///
/// ```
/// use unrolled_runtime::optim::Optimizer;
/// use std::ops::Range;
///
/// /// Steps of the same length, whatever the gradient's (Bernstein and others, 2018).
/// struct SignDescent(f64);
///
/// impl Optimizer for SignDescent {
///     fn step(&mut self, weights: &mut [f32], gradient: &[f32], trained: &[Range<usize>]) {
///         for range in trained {
///             for (w, g) in weights[range.clone()].iter_mut().zip(&gradient[range.clone()]) {
///                 *w -= self.0 as f32 * g.signum();
///             }
///         }
///     }
///     fn learning_rate(&self) -> f64 {
///         self.0
///     }
///     fn set_learning_rate(&mut self, rate: f64) {
///         self.0 = rate;
///     }
/// }
/// ```
pub trait Optimizer {
    /// Moves the weights in the ranges `trained`, which grow; others, such as running statistics,
    /// stay. The gradient stands at the same places. All calls are for the same network.
    fn step(&mut self, weights: &mut [f32], gradient: &[f32], trained: &[Range<usize>]);

    /// The learning rate of the next step.
    fn learning_rate(&self) -> f64;

    /// Sets it.
    fn set_learning_rate(&mut self, rate: f64);
}

/// Numbers in a piece: four slices of them fit a second-level cache.
const PIECE: usize = 1 << 14;

/// Numbers whose new weights wait in the first cache until they are stored.
const BLOCK: usize = 1 << 10;

/// Calls `update(values, gradient)` for all trained places, piece by piece. `values` are the weights
/// and behind them the optimiser's memory. What becomes of a number may not depend on its neighbours.
fn for_each_trained<const K: usize>(
    values: [&mut [f32]; K],
    gradient: &[f32],
    trained: &[Range<usize>],
    update: impl Fn([&mut [f32]; K], &[f32]) + Sync,
) {
    assert!(values.iter().all(|v| v.len() == gradient.len()), "as many weights as gradients");
    // Where several threads share the weights, each has read them all since the last step.
    let shared = gradient.len() > PIECE && parallel::threads() > 1;
    parallel::for_each_zipped_piece(values, PIECE, |place, mut pieces| {
        for range in trained {
            let (begin, end) = (range.start.max(place.start), range.end.min(place.end));
            if begin < end {
                let inside = begin - place.start..end - place.start;
                let parts = pieces.each_mut().map(|piece| &mut piece[inside.clone()]);
                if shared {
                    update_past_caches(parts, &gradient[begin..end], &update);
                } else {
                    update(parts, &gradient[begin..end]);
                }
            }
        }
    });
}

/// As `update(values, gradient)`; the weights, which are the first of the values, go past the caches.
fn update_past_caches<const K: usize>(
    mut values: [&mut [f32]; K],
    gradient: &[f32],
    update: impl Fn([&mut [f32]; K], &[f32]),
) {
    let mut buffer = [0.0; BLOCK];
    for (block, gradient) in gradient.chunks(BLOCK).enumerate() {
        let place = block * BLOCK..block * BLOCK + gradient.len();
        let weights = &mut buffer[..gradient.len()];
        weights.copy_from_slice(&values[0][place.clone()]);
        let mut parts = values.each_mut().map(|values| &mut values[place.clone()]);
        parts[0] = weights;
        update(parts, gradient);
        store_past_caches(&mut values[0][place], &buffer[..gradient.len()]);
    }
}

/// `x`, or 0 where hardly anything is left of it. What an optimiser remembers of a weight without gradient, behind a
/// `ReLU` that lets nothing through, decays to subnormal numbers, with which arithmetic takes longer.
#[inline(always)]
fn without_rest(x: f32) -> f32 {
    if x.abs() < 1e-36 { 0.0 } else { x }
}

/// Makes an optimiser's memory, of numbers `value`, at its first step.
///
/// # Panics
/// When it was made for another network.
fn prepare(memory: &mut Vec<f32>, len: usize, value: f32) {
    if memory.is_empty() {
        *memory = vec![value; len];
    }
    assert_eq!(memory.len(), len, "an optimiser stays with one network");
}

#[cfg(test)]
mod tests;
