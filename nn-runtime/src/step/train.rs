//! The training step: forward, loss and backward on the shards of a batch.

use super::batch::Batch;
use super::error::BatchError;
use super::inputs::{gather, inputs_len, shard_capacity, with_inputs, with_lengths};
use super::outputs::{clear_outputs, valid_steps};
use super::workspace::{BatchStates, Chunks, with_workspace};
use crate::contract::{Backward, Forward, Network, Node, Pass, Root};
use crate::loss::{Loss, LossSums, OutputSample};
use crate::memory::{Buffer, Shards, TiedWeight, TrainCtx, take};
use crate::system::{RngKey, parallel};
use crate::types::{Inputs, Lengths, MAX_INPUTS, MAX_OUTPUTS, Values};
use std::cell::RefCell;

/// A slice for the gradient of each input, or `None` if input gradients are not requested.
fn d_input_slices<N: Network>(n: usize, d_copies: &mut [f32]) -> [Option<&mut [f32]>; MAX_INPUTS] {
    let mut slices = [const { None }; MAX_INPUTS];
    let mut rest = d_copies;
    // Not requested: the first layers then skip the gradient of their input.
    if rest.is_empty() {
        return slices;
    }
    for (slice, &len) in slices.iter_mut().zip(N::Input::LENS) {
        let (input, after) = rest.split_at_mut(n * len);
        *slice = Some(input);
        rest = after;
    }
    slices
}

/// The layout of a shard's local memory; sizes in elements per sample.
struct LocalLayout;

impl LocalLayout {
    const fn inputs<N: Network>() -> Buffer {
        Buffer { offset: 0, len: inputs_len::<N>() }
    }
    const fn output<N: Network>() -> Buffer {
        Self::inputs::<N>().then(N::Output::LEN)
    }
    const fn d_output<N: Network>() -> Buffer {
        Self::output::<N>().then(N::Output::LEN)
    }
    const fn saved<N: Network>() -> Buffer {
        Self::d_output::<N>().then(N::SAVED)
    }
    /// The gradients of the inputs, if requested.
    const fn d_inputs<N: Network>() -> Buffer {
        Self::saved::<N>().then(inputs_len::<N>())
    }
    /// Elements for one sample.
    const fn sample<N: Network>(with_d_inputs: bool) -> usize {
        if with_d_inputs { Self::d_inputs::<N>().end() } else { Self::saved::<N>().end() }
    }
    /// Elements for `capacity` samples and the scratch memory after them, in whole cache lines.
    const fn len<N: Network>(capacity: usize, with_d_inputs: bool) -> usize {
        (capacity * Self::sample::<N>(with_d_inputs) + N::TRAIN_SCRATCH).next_multiple_of(16)
    }
}

/// Elements of memory that a training step uses per sample.
pub(crate) const fn train_len<N: Network>() -> usize {
    LocalLayout::saved::<N>().end() + N::TRAIN_SCRATCH + N::DEFERRED + N::SHARD_SUMS
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
    let step =
        TrainStep { net, loss, batch, part: None, d_net, d_inputs: None, state: &mut [], key };
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
    let step = TrainStep { net, loss, batch, part: None, d_net, d_inputs: None, state, key };
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
    let d_inputs = Some(d_inputs);
    let step = TrainStep { net, loss, batch, part: None, d_net, d_inputs, state: &mut [], key };
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
    pub(crate) part: Option<PartOfBatch>,
    pub(crate) d_net: &'a mut N,
    /// The gradients of the inputs, if requested.
    pub(crate) d_inputs: Option<&'a mut [N::Input]>,
    /// The recurrent states of all samples; empty if they begin with zeros.
    pub(crate) state: &'a mut [f32],
    pub(crate) key: RngKey,
}

/// The place of a batch in a larger one, whose mean loss the gradient is of.
#[derive(Clone, Copy)]
pub(crate) struct PartOfBatch {
    /// The index of the first sample, which random numbers depend on.
    pub(crate) first: usize,
    /// The total weight of all samples of the larger batch for each output.
    pub(crate) weights: [f64; MAX_OUTPUTS],
}

/// Runs forward and backward on a checked batch in training mode: returns its loss sums, and writes the gradient of the
/// mean loss.
pub(crate) fn run_step<N: Network, L: Loss<N::Output>>(step: TrainStep<'_, N, L>) -> LossSums {
    let TrainStep { net, loss, batch, part, d_net, d_inputs, state, key } = step;
    let whole = || PartOfBatch { first: 0, weights: batch.weights::<N, L>(loss) };
    let part = part.unwrap_or_else(whole);
    let with_d_inputs = d_inputs.is_some();
    // Depends on the network and on the batch's size, never on the number of threads: gradients are sums over shards, so
    // that other shards would be other bits. A multiple of 4 shards divides evenly among 2 or 4 threads.
    let capacity = shard_capacity(LocalLayout::saved::<N>().end(), batch.len(), N::SHARD, 4, 2);
    let shards = batch.len().div_ceil(capacity);
    let deferred_stride = Shards::stride(capacity, N::SHARD_SUMS, N::DEFERRED);
    // With one phase a shard runs forward and backward at once, in memory of the worker that stays in its cache. With
    // more, a phase needs all shards of the one before (`BatchNorm`), so that each shard keeps its values.
    let locals = if N::PHASES == 1 { parallel::threads().min(shards) } else { shards };
    let local_len = LocalLayout::len::<N>(capacity, with_d_inputs);
    // One allocation. `prepared` and each thread's local memory are whole cache lines, so that threads do not write to
    // the same line of these.
    let need = N::PREPARED.next_multiple_of(16) + locals * local_len + shards * deferred_stride;
    with_loss_sums(shards, |loss_sums| {
        with_workspace(need, |memory| {
            let (prepared, memory) = memory.split_at_mut(N::PREPARED.next_multiple_of(16));
            let (local, deferred) = memory.split_at_mut(locals * local_len);
            let mut step = ShardedStep::<N, L> {
                net,
                loss,
                batch,
                first: part.first,
                key,
                capacity,
                local: Chunks::new(local, local_len),
                deferred: Chunks::new(deferred, deferred_stride),
                loss_sums: Chunks::new(loss_sums, 1),
                scales: part.weights.map(scale),
                state: BatchStates::new::<N>(state),
                d_inputs: d_inputs.map(|d_inputs| Chunks::new(d_inputs, 1)),
            };
            step.net.prepare(&mut prepared[..N::PREPARED]);
            step.all_phases(&mut prepared[..N::PREPARED]);
            step.gradients(d_net);
            // In the order of the shards, so that the loss has the same bits on any number of threads.
            loss_sums.iter().fold(LossSums::default(), |sum, one| sum.with(one))
        })
    })
}

/// The factor from a sum of losses to their mean; 0 if all weights are 0.
fn scale(weight: f64) -> f32 {
    if weight == 0.0 { 0.0 } else { (1.0 / weight) as f32 }
}

/// One training step while it runs.
struct ShardedStep<'a, N: Network, L: Loss<N::Output>> {
    net: &'a mut N,
    loss: &'a L,
    batch: BatchOf<'a, N, L>,
    // The index of its first sample in the larger batch that it is a part of.
    first: usize,
    key: RngKey,
    capacity: usize,
    local: Chunks<f32>,
    deferred: Chunks<f32>,
    loss_sums: Chunks<LossSums>,
    // The factor of the gradient of each output's loss.
    scales: [f32; MAX_OUTPUTS],
    state: BatchStates,
    d_inputs: Option<Chunks<N::Input>>,
}

/// The two passes of a step.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    Forward,
    Backward,
}

/// One phase of one shard.
#[derive(Clone, Copy)]
struct ShardPhase {
    direction: Direction,
    phase: usize,
    shard: usize,
    /// The index of the local memory: the worker's with one phase, the shard's with more.
    local: usize,
}

impl<N: Network, L: Loss<N::Output>> ShardedStep<'_, N, L> {
    fn shards(&self) -> usize {
        self.batch.len().div_ceil(self.capacity)
    }

    fn all_phases(&mut self, prepared: &mut [f32]) {
        // Forward and backward of a shard at once: what was saved is still in the cache of the core.
        if N::PHASES == 1 {
            parallel::for_each(self.shards(), |shard, worker| {
                for direction in [Direction::Forward, Direction::Backward] {
                    let task = ShardPhase { direction, phase: 0, shard, local: worker };
                    self.run_phase(task, prepared);
                }
            });
            return;
        }
        for phase in 0..N::PHASES {
            self.for_each_shard(Direction::Forward, phase, prepared);
            if phase + 1 < N::PHASES {
                let all = all_shards::<N>(&self.deferred, self.batch.len(), self.capacity);
                self.net.combine_forward(phase, all, prepared);
            }
        }
        // In reverse: what `combine_backward` adds up after a phase is read by the phase with the next lower index.
        for phase in (0..N::PHASES).rev() {
            self.for_each_shard(Direction::Backward, phase, prepared);
            if phase > 0 {
                let all = all_shards::<N>(&self.deferred, self.batch.len(), self.capacity);
                self.net.combine_backward(phase, all, prepared);
            }
        }
    }

    fn for_each_shard(&self, direction: Direction, phase: usize, prepared: &[f32]) {
        parallel::for_each(self.shards(), |shard, _| {
            self.run_phase(ShardPhase { direction, phase, shard, local: shard }, prepared);
        });
    }

    fn run_phase(&self, task: ShardPhase, prepared: &[f32]) {
        let ShardPhase { direction, phase, shard, local } = task;
        let first = shard * self.capacity;
        let n = self.capacity.min(self.batch.len() - first);
        // SAFETY: `run_step` borrows the memory until all regions have ended. A shard runs on one thread at a time, and
        // `local` is the index of the shard or of the worker, so that each of these chunks has one user until the task
        // ends.
        let (local, deferred, loss_sums) = unsafe {
            (self.local.chunk(local), self.deferred.chunk(shard), self.loss_sums.chunk(shard))
        };
        let sample = LocalLayout::sample::<N>(self.d_inputs.is_some());
        // By the samples of this shard: in a last one with fewer samples, buffers are closer together.
        let (local, scratch) = local.split_at_mut(n * sample);
        let (local, d_copies) = local.split_at_mut(n * LocalLayout::saved::<N>().end());
        let [copies, y, d_y, saved] = take(
            local,
            n,
            [
                LocalLayout::inputs::<N>(),
                LocalLayout::output::<N>(),
                LocalLayout::d_output::<N>(),
                LocalLayout::saved::<N>(),
            ],
        );
        let (shard_sums, deferred) = deferred.split_at_mut(N::SHARD_SUMS);
        let deferred = &mut deferred[..n * N::DEFERRED];
        // SAFETY: samples `first..first + n` belong to this shard alone, a shard runs on one thread at a time, and the
        // caller borrows the states until the step ends.
        let state = unsafe { self.state.of::<N>(first, n) };
        let pass = Pass { n, first: self.first + first, batch: self.batch.len(), key: self.key };
        let sample = |i: usize| self.batch.input(first + i);
        // Later phases and the backward pass find the copies in the shard's memory.
        if direction == Direction::Forward && phase == 0 {
            gather(n, sample, copies);
        }
        with_lengths(n, sample, |lengths| {
            // A root network owns all weights that its layers tie.
            let tied = TiedWeight::NONE;
            let ctx =
                TrainCtx { saved, scratch, deferred, shard_sums, prepared, lengths, state, tied };
            with_inputs::<N, _>(n, copies, |x| match direction {
                Direction::Forward => {
                    self.net.forward(Forward { pass: &pass, phase, x, y: &mut *y, ctx });
                    // The output is complete in the last forward phase, and the first backward phase begins with its
                    // gradient.
                    if phase + 1 == N::PHASES {
                        clear_outputs::<N>(n, &lengths, y);
                    }
                }
                Direction::Backward => {
                    if phase + 1 == N::PHASES {
                        loss_sums[0] = self.losses_of(first, &lengths, y, d_y);
                    }
                    let mut d_x = d_input_slices::<N>(n, d_copies);
                    let d_x = &mut d_x[..N::Input::LENS.len()];
                    self.net.backward(Backward { pass: &pass, phase, x, y, d_y, d_x, ctx });
                }
            });
        });
        if direction == Direction::Backward && phase == 0 {
            self.scatter(first, n, d_copies);
        }
    }

    /// Copies the gradients of a shard's inputs to the caller's, if requested.
    fn scatter(&self, first: usize, n: usize, d_copies: &[f32]) {
        let Some(d_inputs) = &self.d_inputs else { return };
        let mut rest = d_copies;
        for (index, &len) in N::Input::LENS.iter().enumerate() {
            let (input, after) = rest.split_at(n * len);
            // Tokens have no gradient.
            let samples = if N::Input::REAL[index] { input } else { &[] };
            for (i, copy) in samples.chunks_exact(len).enumerate() {
                // SAFETY: sample `first + i` belongs to this shard alone, a shard runs on one thread at a time, and the
                // caller borrows the gradients until the step ends.
                let sample = unsafe { d_inputs.chunk(first + i) };
                sample[0].input_mut(index).copy_from_slice(copy);
            }
            rest = after;
        }
    }

    /// The loss sums of the shard that begins with sample `first`; writes the gradients of its outputs to `d_y`.
    fn losses_of(
        &self,
        first: usize,
        lengths: &Lengths<'_>,
        y: &[f32],
        d_y: &mut [f32],
    ) -> LossSums {
        let len = N::Output::LEN;
        let mut sums = LossSums::default();
        for (i, (y, d_y)) in y.chunks_exact(len).zip(d_y.chunks_exact_mut(len)).enumerate() {
            let (target, valid) = (self.batch.target(first + i), valid_steps::<N>(lengths, i));
            let sample = OutputSample::new(y, target, &valid, &self.scales, d_y);
            self.loss.accumulate(sample, &mut sums);
        }
        sums
    }

    /// Reduces the shards' parts of the gradient.
    fn gradients(&self, d_net: &mut N) {
        let all = all_shards::<N>(&self.deferred, self.batch.len(), self.capacity);
        // Tasks are parts of the weights, not shards: each element of the gradient is computed by one thread, which
        // adds the shards in order.
        parallel::for_each_piece(
            d_net.as_floats_mut(),
            N::GRADIENT_TASKS,
            N::gradient_end,
            |task, _, part| N::gradient(task, all, part),
        );
    }
}

/// The deferred memory of all shards. Called between parallel regions only, when no shard is running.
fn all_shards<N: Network>(deferred: &Chunks<f32>, samples: usize, capacity: usize) -> Shards<'_> {
    // SAFETY: `run_step` borrows the memory until all regions have ended. Between regions no thread writes to it, and
    // callers drop the view before the next region that writes begins.
    let deferred = unsafe { deferred.all(samples.div_ceil(capacity)) };
    Shards::new(deferred, samples, capacity, N::SHARD_SUMS, N::DEFERRED)
}
