//! The training step: forward, loss and backward on the shards of a batch.

use super::batch::Batch;
use super::error::BatchError;
use super::frozen_layers::FrozenLayers;
use super::outputs::valid_steps;
use super::rank_sums::sum_over_ranks;
use super::sharded::{
    LocalLayout, ShardOutput, ShardPhase, ShardedStep, prepared_len, train_capacity,
};
use super::work::train_time;
use super::workspace::{BatchStates, Chunks, with_workspace};
use crate::contract::{Network, Node, Root};
use crate::loss::{Loss, LossSum, LossSums, OutputSample};
use crate::memory::{ShardCut, Shards, TouchedRows};
use crate::optim::SparseGradient;
use crate::ranks::{Division, Leaves, TreeSum, add_sums};
use crate::system::{RngKey, parallel};
use crate::types::{MAX_OUTPUTS, Values};
use std::cell::RefCell;

/// Elements of memory that a training step uses per sample.
pub(crate) const fn train_len<N: Network>() -> usize {
    LocalLayout::forward::<N>() + N::TRAIN_SCRATCH + N::DEFERRED + N::SHARD_SUMS
}

/// Returns the mean loss of a batch in training mode, and writes its gradient to `d_net`. `key` seeds layers such as
/// `Dropout`.
///
/// # Errors
/// If the batch is empty or too small for the network's statistics, the numbers of inputs and targets differ, the network
/// refuses an input or the loss a target.
pub fn loss_and_gradients<N: Network, L: Loss<N::Output>>(
    net: &mut N,
    loss: &L,
    inputs: &[N::Input],
    targets: &[L::Target],
    d_net: &mut N,
    key: RngKey,
) -> Result<f32, BatchError> {
    // All checks before the first shard runs: an error leaves network and gradient as they were.
    let batch = Batch::checked(loss, inputs, targets)?.enough_for::<N>()?.accepted_by::<N>()?;
    let (part, d_inputs, state, frozen) = (None, None, &mut [][..], &FrozenLayers::default());
    let rows = None;
    let step = TrainStep { net, loss, batch, part, d_net, d_inputs, state, key, frozen, rows };
    Ok(run_step(step).mean_loss() as f32)
}

/// As [`loss_and_gradients`]; of an `Embedding`, only the rows that samples have, and had in the step before, are written.
///
/// # Errors
/// As [`loss_and_gradients`].
pub(crate) fn loss_and_sparse_gradients<N: Network, L: Loss<N::Output>>(
    net: &mut N,
    loss: &L,
    inputs: &[N::Input],
    targets: &[L::Target],
    d_net: &mut SparseGradient<N>,
    key: RngKey,
) -> Result<f32, BatchError> {
    let batch = Batch::checked(loss, inputs, targets)?.enough_for::<N>()?.accepted_by::<N>()?;
    let (part, d_inputs, state, frozen) = (None, None, &mut [][..], &FrozenLayers::default());
    let (d_net, rows) = d_net.parts();
    let rows = Some(rows);
    let step = TrainStep { net, loss, batch, part, d_net, d_inputs, state, key, frozen, rows };
    Ok(run_step(step).mean_loss() as f32)
}

/// As [`loss_and_gradients`] on one chunk of longer sequences. `state` has the recurrent state of each sample,
/// [`Node::STATE`] elements: samples begin with it and leave there the state for the next chunk. The gradient stops at the
/// beginning of the chunk (truncated backpropagation through time).
///
/// # Errors
/// As [`loss_and_gradients`], and if `state` has the wrong length.
pub fn loss_and_gradients_from<N: Network, L: Loss<N::Output>>(
    net: &mut N,
    loss: &L,
    inputs: &[N::Input],
    targets: &[L::Target],
    d_net: &mut N,
    state: &mut [f32],
    key: RngKey,
) -> Result<f32, BatchError> {
    let (expected, found) = (inputs.len() * <N as Node<Root>>::STATE, state.len());
    if expected != found {
        return Err(BatchError::State { expected, found });
    }
    let batch = Batch::checked(loss, inputs, targets)?.enough_for::<N>()?.accepted_by::<N>()?;
    let (part, d_inputs, frozen, rows) = (None, None, &FrozenLayers::default(), None);
    let step = TrainStep { net, loss, batch, part, d_net, d_inputs, state, key, frozen, rows };
    Ok(run_step(step).mean_loss() as f32)
}

/// As [`loss_and_gradients`], and writes the gradient of the mean loss with respect to each input to `d_inputs`, as for a
/// saliency map. Inputs of tokens have no gradient; theirs stay as they are.
///
/// # Errors
/// As [`loss_and_gradients`], and if the lengths of `inputs` and `d_inputs` differ.
pub fn loss_and_all_gradients<N: Network, L: Loss<N::Output>>(
    net: &mut N,
    loss: &L,
    inputs: &[N::Input],
    targets: &[L::Target],
    d_net: &mut N,
    d_inputs: &mut [N::Input],
    key: RngKey,
) -> Result<f32, BatchError> {
    if inputs.len() != d_inputs.len() {
        return Err(BatchError::InputGradients { inputs: inputs.len(), gradients: d_inputs.len() });
    }
    let batch = Batch::checked(loss, inputs, targets)?.enough_for::<N>()?.accepted_by::<N>()?;
    let (part, d_inputs, state) = (None, Some(d_inputs), &mut [][..]);
    let (frozen, rows) = (&FrozenLayers::default(), None);
    let step = TrainStep { net, loss, batch, part, d_net, d_inputs, state, key, frozen, rows };
    Ok(run_step(step).mean_loss() as f32)
}

/// The batch of a network and a loss.
pub(crate) type BatchOf<'a, N, L> =
    Batch<'a, <N as Network>::Input, <L as Loss<<N as Network>::Output>>::Target>;

thread_local! {
    /// The memory of a thread's loss sums, kept from one step to the next.
    static LOSS_SUMS: RefCell<Vec<LossSums>> = const { RefCell::new(Vec::new()) };
}

/// Calls `f` with `len` sums. Memory only grows, so that a repeated call does not allocate.
fn with_loss_sums<R>(len: usize, f: impl FnOnce(&mut [LossSums]) -> R) -> R {
    let mut sums = LOSS_SUMS.take();
    if sums.len() < len {
        sums.resize(len, LossSums::default());
    }
    let result = f(&mut sums[..len]);
    LOSS_SUMS.set(sums);
    result
}

/// The arguments of [`run_step`].
pub(crate) struct TrainStep<'a, N: Network, L: Loss<N::Output>> {
    pub(crate) net: &'a mut N,
    pub(crate) loss: &'a L,
    pub(crate) batch: BatchOf<'a, N, L>,
    /// The place of the batch in a larger one, if the gradients of several are added up.
    pub(crate) part: Option<PartOfBatch<'a>>,
    pub(crate) d_net: &'a mut N,
    /// The gradients of the inputs, if requested.
    pub(crate) d_inputs: Option<&'a mut [N::Input]>,
    /// The recurrent states of all samples; empty if they begin with zeros.
    pub(crate) state: &'a mut [f32],
    pub(crate) key: RngKey,
    /// The layers that are not trained.
    pub(crate) frozen: &'a FrozenLayers,
    /// What the last step has touched of `d_net`, and receives what this one touches. Without it all of `d_net` is written.
    pub(crate) rows: Option<&'a mut TouchedRows>,
}

/// The place of a batch in a larger one, whose mean loss the gradient is of.
#[derive(Clone, Copy)]
pub(crate) struct PartOfBatch<'a> {
    /// The index of the first sample, which random numbers depend on.
    pub(crate) first: usize,
    /// The leaves of the batches of all ranks together, of which the batch is this rank's part.
    pub(crate) leaves: Leaves,
    pub(crate) division: Division<'a>,
    /// The total weight of all samples of the larger batch for each output.
    pub(crate) weights: [f64; MAX_OUTPUTS],
}

/// Runs forward and backward on a checked batch in training mode: returns its loss sums, and writes the gradient of the
/// mean loss.
pub(crate) fn run_step<N: Network, L: Loss<N::Output>>(step: TrainStep<'_, N, L>) -> LossSums {
    parallel::for_work(train_time::<N>(step.batch.len()), || run_shards(step))
}

fn run_shards<N: Network, L: Loss<N::Output>>(step: TrainStep<'_, N, L>) -> LossSums {
    let TrainStep { net, loss, batch, part, d_net, d_inputs, state, key, frozen, mut rows } = step;
    let whole = || {
        let mut weights = [0.0; MAX_OUTPUTS];
        batch.add_weights::<N, L>(loss, 0..batch.len(), &mut weights);
        let leaves = Leaves::new(1, batch.len());
        PartOfBatch { first: 0, leaves, division: Division::WHOLE, weights }
    };
    let PartOfBatch { first, leaves, division, weights } = part.unwrap_or_else(whole);
    let capacity = train_capacity::<N>(leaves.largest());
    let cut = ShardCut::new(&division, leaves, capacity);
    let shards = cut.shards();
    let deferred_stride = Shards::stride(capacity, N::SHARD_SUMS, N::DEFERRED);
    let locals = if N::PHASES == 1 { parallel::threads().min(shards) } else { shards };
    let local_len = LocalLayout::len::<N>(capacity, d_inputs.is_some());
    // One allocation. `prepared` and each thread's local memory are whole cache lines, so that threads do not write to
    // the same line of these.
    let need = prepared_len::<N>() + locals * local_len + shards * deferred_stride;
    if let Some(rows) = &mut rows {
        rows.begin(N::GRADIENT_TASKS);
    }
    let sums = with_loss_sums(shards, |loss_sums| {
        with_workspace(need, |memory| {
            let (prepared, memory) = memory.split_at_mut(prepared_len::<N>());
            let (local, deferred) = memory.split_at_mut(locals * local_len);
            let step = ShardedStep::<N, _> {
                input: |i| batch.input(i),
                first: first + division.samples_of(leaves).start,
                cut,
                division,
                key,
                training: true,
                frozen,
                observer: None,
                rows: rows.as_deref(),
                deferred: Chunks::new(deferred, deferred_stride),
                state: BatchStates::new::<N>(state),
                d_inputs: d_inputs.map(|d_inputs| Chunks::new(d_inputs, 1)),
            };
            let losses = Losses::<N, L> {
                loss,
                batch,
                scales: weights.map(scale),
                sums: Chunks::new(loss_sums, 1),
            };
            let prepared = &mut prepared[..N::PREPARED];
            net.prepare(prepared);
            losses.run(&step, net, &Chunks::new(local, local_len), prepared);
            sum_over_ranks(d_net.as_floats_mut(), &division, &step);
            sum_losses(loss_sums, &cut, division)
        })
    });
    if let Some(rows) = rows {
        rows.end(&N::gradient_end);
    }
    sums
}

/// The loss sums of all shards of all ranks. Those of a leaf are added in the order of the shards, so that the loss has the
/// same bits on any number of threads.
fn sum_losses(shards: &[LossSums], cut: &ShardCut, division: Division<'_>) -> LossSums {
    let sum = TreeSum { division, len: MAX_OUTPUTS * LossSum::VALUES };
    let write = |leaf, values: &mut [f64]| {
        let (first, leaf) = cut.leaf(leaf);
        let shards = shards[first..][..leaf.shards()].iter();
        let sum = shards.fold(LossSums::default(), |sum, one| sum.with(one));
        for (values, sum) in values.chunks_exact_mut(LossSum::VALUES).zip(&sum.0) {
            values.copy_from_slice(&sum.to_values());
        }
    };
    sum.run(write, add_sums, |values| {
        let mut sums = LossSums::default();
        for (sum, values) in sums.0.iter_mut().zip(values.as_chunks().0) {
            *sum = LossSum::from_values(*values);
        }
        sums
    })
}

/// The factor from a sum of losses to their mean; 0 if all weights are 0.
fn scale(weight: f64) -> f32 {
    if weight == 0.0 { 0.0 } else { (1.0 / weight) as f32 }
}

/// The losses of a batch.
struct Losses<'a, N: Network, L: Loss<N::Output>> {
    loss: &'a L,
    batch: BatchOf<'a, N, L>,
    /// The factor of the gradient of each output's loss.
    scales: [f32; MAX_OUTPUTS],
    /// The sums of each shard.
    sums: Chunks<LossSums>,
}

impl<'a, N: Network, L: Loss<N::Output>> Losses<'a, N, L> {
    /// Forward, loss and backward of all shards.
    fn run<F: Fn(usize) -> &'a N::Input + Sync>(
        &self,
        step: &ShardedStep<'_, N, F>,
        net: &mut N,
        local: &Chunks<f32>,
        prepared: &mut [f32],
    ) {
        // SAFETY: `run_step` borrows the memory until all regions have ended. A shard runs on one thread at a time, and the
        // index is that of the shard or of the thread, so that each of these chunks has one user until the task ends.
        let local = |index| unsafe { local.chunk(index) };
        let forward = |net: &N, at, local: &mut [f32], prepared: &[f32]| {
            step.forward(net, at, local, prepared, |_| {});
        };
        let backward = |net: &N, at: ShardPhase, local: &mut [f32], prepared: &[f32]| {
            step.backward(net, at, local, prepared, |output, d_y| self.add(at.shard, &output, d_y));
        };
        // Forward and backward of a shard at once: what was saved is still in the cache of the core.
        if N::PHASES == 1 {
            let (net, prepared) = (&*net, &*prepared);
            return step.for_each_filled(|shard, worker| {
                let at = ShardPhase { phase: 0, shard, worker };
                forward(net, at, local(worker), prepared);
                backward(net, at, local(worker), prepared);
            });
        }
        step.forward_phases(net, prepared, |net, at, prepared| {
            forward(net, at, local(at.shard), prepared);
        });
        step.backward_phases(net, prepared, |net, at, prepared| {
            backward(net, at, local(at.shard), prepared);
        });
    }

    /// Computes the loss sums of a shard, and writes the gradients of its outputs to `d_y`.
    fn add(&self, shard: usize, output: &ShardOutput<'_>, d_y: &mut [f32]) {
        let ShardOutput { first, lengths, y } = *output;
        let len = N::Output::LEN;
        let mut sums = LossSums::default();
        for (i, (y, d_y)) in y.chunks_exact(len).zip(d_y.chunks_exact_mut(len)).enumerate() {
            let (target, valid) = (self.batch.target(first + i), valid_steps::<N>(lengths, i));
            let sample = OutputSample::new(y, target, &valid, &self.scales, d_y);
            self.loss.accumulate(sample, &mut sums);
        }
        // SAFETY: as for the local memory.
        let sums_of_shard = unsafe { self.sums.chunk(shard) };
        sums_of_shard[0] = sums;
    }
}
