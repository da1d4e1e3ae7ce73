//! What all update rules share: one pass over the weights and the optimiser's state, on several threads.

use super::optimizer::TrainedRange;
use crate::kernels::stream::store_past_caches;
use crate::system::{parallel, time};

/// Elements in a chunk: four slices of them fit a second-level cache.
pub(super) const CHUNK: usize = 1 << 14;

/// Trained elements are visited range by range if they are fewer than one in `SPARSE`, as those of a few rows of an `Embedding`,
/// and not more than `MAX_SPARSE`, which take one thread less than a millisecond.
const SPARSE: usize = 8;
const MAX_SPARSE: usize = 1 << 20;

/// Elements whose new weights stay in the first-level cache until they are stored.
const BLOCK: usize = 1 << 10;

/// Calls `update(rule, values, gradient)` on all trained ranges, chunk by chunk, with the `rule` of the range. `values`
/// are the weights, followed by the optimiser's state. The update of an element may not depend on its neighbours: chunks are cut without
/// regard to layers, so that results do not depend on the number of threads.
pub(super) fn for_each_trained<const K: usize, R: Copy>(
    values: [&mut [f32]; K],
    gradient: &[f32],
    trained: &[TrainedRange],
    rule: impl Fn(&TrainedRange) -> R + Sync,
    update: impl Fn(R, [&mut [f32]; K], &[f32]) + Sync,
) {
    assert!(values.iter().all(|v| v.len() == gradient.len()), "as many weights as gradients");
    let elements: usize = trained.iter().map(|trained| trained.range.len()).sum();
    if elements < gradient.len() / SPARSE && elements <= MAX_SPARSE {
        return for_each_range(values, gradient, trained, rule, update);
    }
    let time = time(0, (K + 1) as u64 * elements as u64);
    parallel::for_work(time, || for_each_chunk(values, gradient, trained, rule, update));
}

/// One range after the other, on this thread.
fn for_each_range<const K: usize, R: Copy>(
    mut values: [&mut [f32]; K],
    gradient: &[f32],
    trained: &[TrainedRange],
    rule: impl Fn(&TrainedRange) -> R,
    update: impl Fn(R, [&mut [f32]; K], &[f32]),
) {
    for trained in trained {
        let range = trained.range.clone();
        let parts = values.each_mut().map(|values| &mut values[range.clone()]);
        update(rule(trained), parts, &gradient[range]);
    }
}

/// The same on the threads that take part.
fn for_each_chunk<const K: usize, R: Copy>(
    values: [&mut [f32]; K],
    gradient: &[f32],
    trained: &[TrainedRange],
    rule: impl Fn(&TrainedRange) -> R + Sync,
    update: impl Fn(R, [&mut [f32]; K], &[f32]) + Sync,
) {
    // With several threads, all of them have read all weights since the last step. A store through the cache would first
    // take each line back from the other cores: see `store_past_caches`.
    let shared = gradient.len() > CHUNK && parallel::threads() > 1;
    parallel::for_each_zipped_piece(values, CHUNK, |range, mut chunks| {
        let first = trained.partition_point(|trained| trained.range.end <= range.start);
        let in_chunk = trained[first..].iter().take_while(|it| it.range.start < range.end);
        for trained in in_chunk {
            let (begin, end) =
                (trained.range.start.max(range.start), trained.range.end.min(range.end));
            let inside = begin - range.start..end - range.start;
            let rule = rule(trained);
            let update = |parts: [&mut [f32]; K], g: &[f32]| update(rule, parts, g);
            let parts = chunks.each_mut().map(|chunk| &mut chunk[inside.clone()]);
            if shared {
                update_past_caches(parts, &gradient[begin..end], update);
            } else {
                update(parts, &gradient[begin..end]);
            }
        }
    });
}

/// As `update(values, gradient)`, with non-temporal stores of the weights, the first of the values.
fn update_past_caches<const K: usize>(
    mut values: [&mut [f32]; K],
    gradient: &[f32],
    update: impl Fn([&mut [f32]; K], &[f32]),
) {
    let mut buffer = [0.0; BLOCK];
    for (block, gradient) in gradient.chunks(BLOCK).enumerate() {
        let range = block * BLOCK..block * BLOCK + gradient.len();
        let weights = &mut buffer[..gradient.len()];
        weights.copy_from_slice(&values[0][range.clone()]);
        let mut parts = values.each_mut().map(|values| &mut values[range.clone()]);
        parts[0] = weights;
        update(parts, gradient);
        store_past_caches(&mut values[0][range], &buffer[..gradient.len()]);
    }
}

/// Returns `x`, or 0 if it is below 1e-36 in magnitude. The state of a weight without gradient, such as one before a
/// `ReLU` that is never positive, decays to subnormal numbers, which slow arithmetic down.
#[inline(always)]
pub(super) fn flush_tiny(x: f32) -> f32 {
    if x.abs() < 1e-36 { 0.0 } else { x }
}

/// Allocates a part of an optimiser's state at its first step, filled with `value`.
///
/// # Panics
/// If it was allocated for another network.
pub(super) fn allocate(state: &mut Vec<f32>, len: usize, value: f32) {
    if state.is_empty() {
        *state = vec![value; len];
    }
    assert_eq!(state.len(), len, "an optimiser stays with one network");
}
