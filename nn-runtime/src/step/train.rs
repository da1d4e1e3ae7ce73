//! The training step: forward, through the loss, and backward.

use super::batch::Batch;
use super::error::BatchError;
use super::inputs::{gather, inputs_len, shard_capacity, with_inputs, with_lengths};
use super::outputs::{clear_outputs, valid_steps};
use super::workspace::{Chunks, StatesOfAll, with_workspace};
use crate::contract::{Backward, Forward, Network, Node, Pass, Root};
use crate::loss::{Loss, Tallies};
use crate::memory::{Buffer, Shards, TiedWeight, TrainCtx, take};
use crate::system::{RngKey, parallel};
use crate::types::{Inputs, Lengths, MAX_INPUTS, MAX_OUTPUTS, Values};
use std::cell::RefCell;

/// A slice for the gradient of each input, or none where there is no memory for them.
fn d_input_slices<N: Network>(n: usize, d_copies: &mut [f32]) -> [Option<&mut [f32]>; MAX_INPUTS] {
    let mut slices = [const { None }; MAX_INPUTS];
    let mut rest = d_copies;
    if rest.is_empty() {
        return slices;
    }
    for (slice, &len) in slices.iter_mut().zip(N::Input::LENS) {
        let (input, behind) = rest.split_at_mut(n * len);
        *slice = Some(input);
        rest = behind;
    }
    slices
}

/// Where things are in the memory of a shard's passage; sizes in numbers per sample.
struct Local;

impl Local {
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
    /// The inputs' gradients, where they are asked for.
    const fn d_inputs<N: Network>() -> Buffer {
        Self::saved::<N>().then(inputs_len::<N>())
    }
    /// Numbers for one sample.
    const fn sample<N: Network>(with_d_inputs: bool) -> usize {
        if with_d_inputs { Self::d_inputs::<N>().end() } else { Self::saved::<N>().end() }
    }
    /// Numbers for `capacity` samples, with the scratch memory behind them, in whole cache lines.
    const fn len<N: Network>(capacity: usize, with_d_inputs: bool) -> usize {
        (capacity * Self::sample::<N>(with_d_inputs) + N::TRAIN_SCRATCH).next_multiple_of(16)
    }
}

/// Numbers that one sample of a training step uses.
pub(crate) const fn train_len<N: Network>() -> usize {
    Local::saved::<N>().end() + N::TRAIN_SCRATCH + N::DEFERRED + N::SHARD_SUMS
}

/// The mean loss of a batch, in training mode, and its gradient, written to `d_net`.
///
/// # Errors
/// When the batch is empty or too small for the network's statistics, when there are not as many
/// targets as inputs, or when the loss refuses a target.
pub fn loss_and_gradients<N: Network, L: Loss<N::Output>>(
    net: &mut N,
    loss: &L,
    inputs: &[N::Input],
    targets: &[L::Target],
    d_net: &mut N,
    key: RngKey,
) -> Result<f32, BatchError> {
    let batch = Batch::checked(loss, inputs, targets)?.enough_for::<N>()?.accepted_by::<N>()?;
    Ok(run_step(net, loss, batch, d_net, None, &mut [], key).mean_loss() as f32)
}

/// As [`loss_and_gradients`] on one stretch of longer sequences: each sample begins with what it carries,
/// [`Node::STATE`] numbers in `state`, and leaves there what it carries to the next stretch. The
/// gradient ends at the beginning of the stretch (truncated backpropagation through time).
///
/// # Errors
/// As [`loss_and_gradients`], and when there is not as much state as inputs.
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
    Ok(run_step(net, loss, batch, d_net, None, state, key).mean_loss() as f32)
}

/// As [`loss_and_gradients`], and writes the gradient of the mean loss with respect to each sample to
/// `d_inputs`: what in the picture speaks for its class. An input of class or token numbers has none.
///
/// # Errors
/// As [`loss_and_gradients`], and when there are not as many `d_inputs` as inputs.
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
    Ok(run_step(net, loss, batch, d_net, Some(d_inputs), &mut [], key).mean_loss() as f32)
}

/// The samples of a network and a loss.
pub(crate) type BatchOf<'a, N, L> =
    Batch<'a, <N as Network>::Input, <L as Loss<<N as Network>::Output>>::Target>;

thread_local! {
    /// The sums of losses that a thread keeps for its next step.
    static LOSS_SUMS: RefCell<Vec<Tallies>> = const { RefCell::new(Vec::new()) };
}

/// Calls `f` with `len` sums. Memory only grows, so that a repeated call does not allocate.
fn with_loss_sums<R>(len: usize, f: impl FnOnce(&mut [Tallies]) -> R) -> R {
    let mut sums = LOSS_SUMS.take();
    if sums.len() < len {
        sums.resize(len, Tallies::default());
    }
    let result = f(&mut sums[..len]);
    LOSS_SUMS.set(sums);
    result
}

/// Forward and backward on a batch that was checked, in training mode: what the loss says of it, and
/// the gradient of the mean loss in `d_net`.
pub(crate) fn run_step<N: Network, L: Loss<N::Output>>(
    net: &mut N,
    loss: &L,
    batch: BatchOf<'_, N, L>,
    d_net: &mut N,
    d_inputs: Option<&mut [N::Input]>,
    state: &mut [f32],
    key: RngKey,
) -> Tallies {
    let with_d_inputs = d_inputs.is_some();
    // A constant of the network and of the batch's size, never of the number of threads: gradients are
    // sums over shards. It divides evenly among a few threads.
    let capacity = shard_capacity(Local::saved::<N>().end(), batch.len(), N::SHARD, 4, 2);
    let shards = batch.len().div_ceil(capacity);
    let deferred_stride = Shards::stride(capacity, N::SHARD_SUMS, N::DEFERRED);
    // With one phase a shard goes forward and backward at once, in memory of the worker's own; with
    // more, each shard's values wait for the others.
    let locals = if N::PHASES == 1 { parallel::threads().min(shards) } else { shards };
    let local_len = Local::len::<N>(capacity, with_d_inputs);
    let need = N::PREPARED.next_multiple_of(16) + locals * local_len + shards * deferred_stride;
    with_loss_sums(shards, |loss_sums| {
        with_workspace(need, |memory| {
            let (prepared, memory) = memory.split_at_mut(N::PREPARED.next_multiple_of(16));
            let (local, deferred) = memory.split_at_mut(locals * local_len);
            let mut step = StepRun::<N, L> {
                net,
                loss,
                batch,
                key,
                capacity,
                local: Chunks::new(local, local_len),
                deferred: Chunks::new(deferred, deferred_stride),
                loss_sums: Chunks::new(loss_sums, 1),
                scales: batch.weights::<N, L>(loss).map(scale),
                state: StatesOfAll::new::<N>(state),
                d_inputs: d_inputs.map(|d_inputs| Chunks::new(d_inputs, 1)),
            };
            step.net.prepare(&mut prepared[..N::PREPARED]);
            step.all_phases(&mut prepared[..N::PREPARED]);
            step.gradients(d_net);
            loss_sums.iter().fold(Tallies::default(), |sum, one| sum.with(one))
        })
    })
}

/// What turns a sum of samples' losses into their mean; nothing where nothing has any weight.
fn scale(weight: f64) -> f32 {
    if weight == 0.0 { 0.0 } else { (1.0 / weight) as f32 }
}

/// One training step on its way.
struct StepRun<'a, N: Network, L: Loss<N::Output>> {
    net: &'a mut N,
    loss: &'a L,
    batch: BatchOf<'a, N, L>,
    key: RngKey,
    capacity: usize,
    local: Chunks<f32>,
    deferred: Chunks<f32>,
    loss_sums: Chunks<Tallies>,
    // What the gradient of each sample's loss is multiplied with, output by output.
    scales: [f32; MAX_OUTPUTS],
    state: StatesOfAll,
    d_inputs: Option<Chunks<N::Input>>,
}

/// Which half of a step a shard goes through.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    Forward,
    Backward,
}

impl<N: Network, L: Loss<N::Output>> StepRun<'_, N, L> {
    fn shards(&self) -> usize {
        self.batch.len().div_ceil(self.capacity)
    }

    fn all_phases(&mut self, prepared: &mut [f32]) {
        if N::PHASES == 1 {
            parallel::for_each(self.shards(), |shard, worker| {
                self.phase(Direction::Forward, 0, shard, worker, prepared);
                self.phase(Direction::Backward, 0, shard, worker, prepared);
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
            self.phase(direction, phase, shard, shard, prepared);
        });
    }

    /// One phase of one shard, in local memory `local`.
    fn phase(
        &self,
        direction: Direction,
        phase: usize,
        shard: usize,
        local: usize,
        prepared: &[f32],
    ) {
        let first = shard * self.capacity;
        let n = self.capacity.min(self.batch.len() - first);
        // SAFETY: a shard is the task of one thread at a time, and `local` is either the shard's own
        // number or the worker's; so nobody else uses these chunks now.
        let (local, deferred, loss_sums) = unsafe {
            (self.local.chunk(local), self.deferred.chunk(shard), self.loss_sums.chunk(shard))
        };
        let sample = Local::sample::<N>(self.d_inputs.is_some());
        let (local, scratch) = local.split_at_mut(n * sample);
        let (local, d_copies) = local.split_at_mut(n * Local::saved::<N>().end());
        let [copies, y, d_y, saved] = take(
            local,
            n,
            [
                Local::inputs::<N>(),
                Local::output::<N>(),
                Local::d_output::<N>(),
                Local::saved::<N>(),
            ],
        );
        let (shard_sums, deferred) = deferred.split_at_mut(N::SHARD_SUMS);
        let deferred = &mut deferred[..n * N::DEFERRED];
        // SAFETY: each sample belongs to one shard, a shard to one thread.
        let state = unsafe { self.state.of::<N>(first, n) };
        let pass = Pass { n, first, batch: self.batch.len(), key: self.key };
        let sample = |i: usize| self.batch.input(first + i);
        if direction == Direction::Forward && phase == 0 {
            gather(n, sample, copies);
        }
        with_lengths(n, sample, |lengths| {
            let tied = TiedWeight::NONE;
            let ctx =
                TrainCtx { saved, scratch, deferred, shard_sums, prepared, lengths, state, tied };
            with_inputs::<N, _>(n, copies, |x| match direction {
                Direction::Forward => {
                    self.net.forward(Forward { pass: &pass, phase, x, y: &mut *y, ctx });
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

    /// Hands the gradients of a shard's inputs to the caller, where it asked for them.
    fn scatter(&self, first: usize, n: usize, d_copies: &[f32]) {
        let Some(d_inputs) = &self.d_inputs else { return };
        let mut rest = d_copies;
        for (index, &len) in N::Input::LENS.iter().enumerate() {
            let (input, behind) = rest.split_at(n * len);
            // Class and token numbers have no gradient.
            let samples = if N::Input::REAL[index] { input } else { &[] };
            for (i, copy) in samples.chunks_exact(len).enumerate() {
                // SAFETY: each sample belongs to one shard, a shard to one thread.
                let sample = unsafe { d_inputs.chunk(first + i) };
                sample[0].input_mut(index).copy_from_slice(copy);
            }
            rest = behind;
        }
    }

    /// What the loss says of the shard that begins with sample `first`; gradients go to `d_y`.
    fn losses_of(
        &self,
        first: usize,
        lengths: &Lengths<'_>,
        y: &[f32],
        d_y: &mut [f32],
    ) -> Tallies {
        let len = N::Output::LEN;
        let mut tallies = Tallies::default();
        for (i, (y, d_y)) in y.chunks_exact(len).zip(d_y.chunks_exact_mut(len)).enumerate() {
            let (target, valid) = (self.batch.target(first + i), valid_steps::<N>(lengths, i));
            self.loss.tally(y, target, &valid, &self.scales, d_y, &mut tallies);
        }
        tallies
    }

    /// Puts the gradient together from what the shards left behind.
    fn gradients(&self, d_net: &mut N) {
        let all = all_shards::<N>(&self.deferred, self.batch.len(), self.capacity);
        parallel::for_each_piece(
            d_net.as_floats_mut(),
            N::GRADIENT_TASKS,
            N::gradient_end,
            |task, _, piece| N::gradient(task, all, piece),
        );
    }
}

/// What all shards left behind. Called between regions only, when no shard is on its way.
fn all_shards<N: Network>(deferred: &Chunks<f32>, samples: usize, capacity: usize) -> Shards<'_> {
    // SAFETY: no region is open, so nothing writes; the view is used up before the next one opens.
    let deferred = unsafe { deferred.all(samples.div_ceil(capacity)) };
    Shards::new(deferred, samples, capacity, N::SHARD_SUMS, N::DEFERRED)
}
