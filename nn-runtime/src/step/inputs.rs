//! The inputs of several samples, checked and gathered.

use super::error::BatchError;
use crate::contract::{Network, Node, Root};
use crate::types::{Inputs, Lengths, MAX_INPUTS, Steps};

/// Checks that there are samples, as many inputs as targets.
pub(crate) const fn check_numbers<Input, Target>(
    inputs: &[Input],
    targets: &[Target],
) -> Result<(), BatchError> {
    let (inputs, targets) = (inputs.len(), targets.len());
    if inputs == 0 {
        return Err(BatchError::Empty);
    }
    if inputs == targets { Ok(()) } else { Err(BatchError::Targets { inputs, targets }) }
}

/// Elements of memory that the samples of one shard may use, 1.5 MB: a few samples of a convolutional network, so that
/// dense layers read their weights once for all of them. The part of each layer fits a second-level cache.
const SHARD_NUMBERS: usize = 384 * 1024;

/// The largest number of samples in a shard. [`with_lengths`] has so many lengths per input on the stack.
const MAX_SHARD: usize = 32;

/// Calls `f` with the sequence lengths of `n` samples.
pub(super) fn with_lengths<'a, I: Inputs, R>(
    n: usize,
    sample: impl Fn(usize) -> &'a I,
    f: impl FnOnce(Lengths<'_>) -> R,
) -> R {
    if !I::RAGGED {
        return f(Lengths::Full);
    }
    // On the stack, so that a step does not allocate.
    let mut counts = [[0_u32; MAX_SHARD]; MAX_INPUTS];
    let mut steps = [Steps::Full; MAX_INPUTS];
    for (index, (counts, steps)) in
        counts.iter_mut().zip(&mut steps).enumerate().take(I::LENS.len())
    {
        // Whether an input is ragged depends on its type, so that one sample shows it for all.
        if matches!(sample(0).steps(index), Steps::Full) {
            continue;
        }
        for (i, count) in counts.iter_mut().enumerate().take(n) {
            // Each sample knows its own length only, as that of sample 0.
            *count = sample(i).steps(index).valid(0, I::SHAPES[index].dim(0)) as u32;
        }
        *steps = Steps::Given(counts);
    }
    f(Lengths::Given(&steps))
}

/// The number of samples in a shard if each uses `sample` elements of memory. The number of shards is a multiple of
/// `evenly`, if there are as many samples, and shards are about equal. There are fewer only if the network wants larger
/// ones (`wanted` samples), but not fewer than `fewest`.
pub(super) fn shard_capacity(
    sample: usize,
    batch: usize,
    wanted: usize,
    evenly: usize,
    fewest: usize,
) -> usize {
    // As many samples as fit; then as few shards as that allows, rounded up to a multiple of `evenly`, and the samples
    // divided among these.
    let fitting = (SHARD_NUMBERS / sample.max(1)).clamp(1, MAX_SHARD);
    let fitting = batch.div_ceil(batch.div_ceil(fitting).next_multiple_of(evenly));
    // Layers that read their weights again and again may have larger shards than fit, as long as there are `fewest` of
    // them.
    let wanted = wanted.min(MAX_SHARD).min(batch.div_ceil(fewest));
    fitting.max(wanted).max(1)
}

/// The number of elements of one sample's inputs.
pub(super) const fn inputs_len<N: Network>() -> usize {
    let lens = N::Input::LENS;
    let mut sum = 0;
    let mut i = 0;
    while i < lens.len() {
        sum += lens[i];
        i += 1;
    }
    sum
}

/// Copies the inputs of samples 0 to `n - 1`, one input after the other with all its samples.
pub(super) fn gather<'a, I: Inputs>(n: usize, sample: impl Fn(usize) -> &'a I, copies: &mut [f32]) {
    let mut rest = copies;
    for (index, &len) in I::LENS.iter().enumerate() {
        // All samples of an input are contiguous: a layer reads one slice, and a product all rows.
        let (input, after) = rest.split_at_mut(n * len);
        for (i, copy) in input.chunks_exact_mut(len).enumerate() {
            copy.copy_from_slice(sample(i).input(index));
        }
        rest = after;
    }
}

/// The inputs of samples 0 to `n - 1`: of a single one its own, of several copies, each input with all its samples.
pub(super) fn own_or_copies<'a, I: Inputs>(
    n: usize,
    sample: impl Fn(usize) -> &'a I,
    copies: &'a mut [f32],
) -> [&'a [f32]; MAX_INPUTS] {
    if n == 1 {
        let own = |index| if index < I::LENS.len() { sample(0).input(index) } else { &[] };
        return core::array::from_fn(own);
    }
    gather(n, sample, copies);
    slices::<I>(n, copies)
}

/// A slice for each input of `n` gathered samples.
fn slices<I: Inputs>(n: usize, copies: &[f32]) -> [&[f32]; MAX_INPUTS] {
    let mut slices: [&[f32]; MAX_INPUTS] = [&[]; MAX_INPUTS];
    let mut rest = copies;
    for (slice, &len) in slices.iter_mut().zip(I::LENS) {
        let (input, after) = rest.split_at(n * len);
        *slice = input;
        rest = after;
    }
    slices
}

/// Calls `f` with a slice for each input of `n` gathered samples.
pub(super) fn with_inputs<N: Network, R>(
    n: usize,
    copies: &[f32],
    f: impl FnOnce(&[&[f32]]) -> R,
) -> R {
    f(&slices::<N::Input>(n, copies)[..N::Input::LENS.len()])
}

/// Checks that the layers of `N` accept these inputs: [`Node::check`].
pub(crate) fn check_inputs<'a, N: Network>(
    inputs: impl IntoIterator<Item = &'a N::Input>,
) -> Result<(), BatchError> {
    // Only tokens are ever refused.
    if N::Input::REAL.iter().all(|real| *real) {
        return Ok(());
    }
    let mut x: [&[f32]; MAX_INPUTS] = [&[]; MAX_INPUTS];
    let x = &mut x[..N::Input::LENS.len()];
    for (index, input) in inputs.into_iter().enumerate() {
        for (nth, x) in x.iter_mut().enumerate() {
            *x = input.input(nth);
        }
        <N as Node<Root>>::check(x).map_err(|why| BatchError::Input { index, why })?;
    }
    Ok(())
}
